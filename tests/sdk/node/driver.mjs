// Drives the official OpenAI client for Node: reads a call as a line of JSON, does it, and writes what came of it as a
// line of JSON. It adds nothing to the client but no retries, so that every failure is seen.

import { createInterface } from 'node:readline';
import OpenAI, { toFile } from 'openai';

import { operations as vercel } from './vercel.mjs';

const clients = new Map();

function clientFor(options) {
  const name = JSON.stringify(options);
  if (!clients.has(name)) clients.set(name, new OpenAI({ ...options, maxRetries: 0 }));
  return clients.get(name);
}

function answer(data, response, more = {}) {
  return { data, requestId: data._request_id, headers: Object.fromEntries(response.headers), ...more };
}

async function whole(promise) {
  const { data, response } = await promise.withResponse();
  return answer(data, response);
}

async function streamed(promise, received) {
  const { data, response } = await promise.withResponse();
  for await (const chunk of data) received.push(chunk);
  return { ...answer(received, response), requestId: response.headers.get('x-request-id') };
}

const operations = {
  chat: (client, body) => whole(client.chat.completions.create(body)),
  raw_chat: (client, body) => whole(client.chat.completions.create(body)),
  chunks: (client, body, received) =>
    streamed(client.chat.completions.create({ ...body, stream: true }), received),
  async left(client, body) {
    const stream = await client.chat.completions.create({ ...body, stream: true });
    // Leaving the loop closes the stream.
    for await (const chunk of stream) return { data: chunk };
    throw new Error('an empty stream');
  },
  async at_once(client, { requests }) {
    const one = async (body) => {
      const chunks = [];
      await streamed(client.chat.completions.create({ ...body, stream: true }), chunks);
      return chunks;
    };
    return { data: await Promise.all(requests.map(one)) };
  },
  async helper(client, body, received) {
    const stream = client.chat.completions.stream(body);
    // Of all that can be listened to, what Python's helper calls by the same name.
    for (const name of ['content', 'refusal', 'tool_calls.function.arguments']) {
      for (const event of [`${name}.delta`, `${name}.done`]) stream.on(event, () => received.push(event));
    }
    return { data: await stream.finalChatCompletion(), events: received };
  },
  async run_tools(client, body, received) {
    // Every function answers with its own arguments.
    const answering = ({ function: { name, description, parameters } }) => ({
      type: 'function',
      function: {
        name,
        description,
        parameters,
        parse: JSON.parse,
        function: (given) => JSON.stringify({ name, given }),
      },
    });
    const runner = client.chat.completions.runTools({ ...body, tools: body.tools.map(answering) });
    runner.on('message', (message) => received.push(message));
    return { data: await runner.finalContent(), events: received };
  },
  completion: (client, body) => whole(client.completions.create(body)),
  completion_chunks: (client, body, received) =>
    streamed(client.completions.create({ ...body, stream: true }), received),
  embeddings: (client, body) => whole(client.embeddings.create(body)),
  async models(client, _, received) {
    for await (const model of client.models.list()) received.push(model);
    return { data: received };
  },
  model: (client, { model }) => whole(client.models.retrieve(model)),
  response: (client, body) => whole(client.responses.create(body)),
  raw_response: (client, body) => whole(client.responses.create(body)),
  response_events: (client, body, received) =>
    streamed(client.responses.create({ ...body, stream: true }), received),
  async response_helper(client, body, received) {
    const stream = client.responses.stream(body);
    stream.on('event', ({ type }) => received.push(type));
    return { data: await stream.finalResponse(), events: received };
  },
  async response_left(client, body) {
    const stream = await client.responses.create({ ...body, stream: true });
    for await (const event of stream) if (event.type.endsWith('.delta')) return { data: event };
    throw new Error('a stream without a delta');
  },
  stored: (client, { id }) => whole(client.responses.retrieve(id)),
  async items(client, { id }, received) {
    for await (const item of client.responses.inputItems.list(id)) received.push(item);
    return { data: received };
  },
  async forgotten(client, { id }) {
    await client.responses.delete(id);
    return { data: null };
  },
  image: (client, body) => whole(client.images.generate(body)),
  async edited(client, { image, ...body }) {
    const file = await toFile(Buffer.from(image, 'base64'), 'picture.png', { type: 'image/png' });
    return whole(client.images.edit({ ...body, image: file }));
  },
};

function described(error) {
  const kinds = [];
  for (let kind = Object.getPrototypeOf(error); kind && kind !== Object.prototype; kind = Object.getPrototypeOf(kind)) {
    kinds.push(kind.constructor.name);
  }
  const { code, type, param, message, requestID } = error;
  const status = error.status ?? error.statusCode;
  const headers = error.headers ? Object.fromEntries(error.headers) : error.responseHeaders ?? {};
  return { kinds, status, code, type, param, message, request_id: requestID, headers };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const { operation, options, arguments: body } = JSON.parse(line);
  const received = [];
  let done;
  try {
    done = vercel[operation]
      ? { data: await vercel[operation](body) }
      : await operations[operation](clientFor(options), body, received);
  } catch (error) {
    done = { error: described(error), received };
  }
  process.stdout.write(`${JSON.stringify(done)}\n`);
}
