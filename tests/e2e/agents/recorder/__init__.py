"""Writes the recorded sessions from what the agents publish about their requests: `python -m recorder` in the folder
above writes them anew. What the prompts and tools say is made up; what surrounds them is the agents'."""
