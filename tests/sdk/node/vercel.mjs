// What the Vercel AI SDK does with the gateway, through its providers for OpenAI (both APIs), Anthropic and Google. Driven
// like driver.mjs: a call as a line of JSON in, what came of it as a line of JSON out.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { embed, generateText, isStepCount, jsonSchema, Output, streamText, tool } from 'ai';

const makers = {
  'vercel-openai-chat': ({ url, key }) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat,
  'vercel-openai': ({ url, key }) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).responses,
  'vercel-anthropic': ({ url, key }) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key }),
  'vercel-google': ({ url, key }) => createGoogle({ baseURL: `${url}/v1beta`, apiKey: key }),
};

const weather = tool({
  description: 'Weather of a city',
  inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }),
  execute: async ({ city }) => `sunny in ${city}`,
});

function asked({ client, url, key, model, arguments: more }) {
  const { tools, schema, steps, ...rest } = more;
  return {
    model: makers[client]({ url, key })(model),
    maxRetries: 0,
    ...(tools ? { tools: { get_weather: weather } } : {}),
    ...(steps ? { stopWhen: isStepCount(steps) } : {}),
    ...(schema ? { output: Output.object({ schema: jsonSchema(schema) }) } : {}),
    ...rest,
  };
}

function summary(result, schema) {
  return {
    text: result.text,
    reasoning: result.reasoningText ?? '',
    finishReason: result.finishReason,
    usage: result.totalUsage ?? result.usage,
    steps: result.steps.length,
    calls: result.steps.flatMap((step) => step.toolCalls.map(({ toolName, input }) => ({ toolName, input }))),
    output: schema ? result.output : undefined,
    warnings: result.warnings ?? [],
  };
}

export const operations = {
  vercel_generate: async (call) => summary(await generateText(asked(call)), call.arguments.schema),
  async vercel_stream(call) {
    const kinds = [];
    let failure;
    const result = streamText({ ...asked(call), onError: ({ error }) => (failure = error) });
    for await (const part of result.fullStream) kinds.push(part.type);
    if (failure) throw failure;
    const resolved = {};
    for (const name of ['text', 'reasoningText', 'finishReason', 'totalUsage', 'steps', 'warnings'])
      resolved[name] = await result[name];
    if (call.arguments.schema) resolved.output = await result.output;
    return { ...summary(resolved, call.arguments.schema), kinds };
  },
  async vercel_embed({ client, url, key, model, arguments: { value } }) {
    const maker =
      client === 'vercel-google'
        ? createGoogle({ baseURL: `${url}/v1beta`, apiKey: key })
        : createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
    const { embedding } = await embed({ model: maker.embeddingModel(model), value, maxRetries: 0 });
    return { embedding };
  },
};
