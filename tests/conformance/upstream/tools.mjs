// The tools that both eras' scenarios call by name. Each scenario of the suite says in its description
// what its tool has to do.
import * as z from 'zod/v4';
import { fromJsonSchema, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { ask, imageBlock, object, resourceBlock, sample, sleep, string, text, textBlock, wav } from './words.mjs';

const options = ['option1', 'option2', 'option3'];
const titled = noun => ['First', 'Second', 'Third'].map((nth, i) => ({ const: `value${i + 1}`, title: `${nth} ${noun}` }));

const userForm = object(
  {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" }
  },
  ['username', 'email']
);
const formWithDefaults = object({
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true }
});
const formWithEnums = object({
  untitledSingle: { type: 'string', enum: options },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } }
});

const richSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', ...object({ street: string, city: string }) } },
  properties: {
    name: string,
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: string,
    email: string
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false
};

function registerContent(tool) {
  // http-header-validation calls the first tool of the list without arguments, so this one takes none.
  tool('test_simple_text', async () => text('This is a simple text response for testing.'));
  tool('test_image_content', async () => ({ content: [imageBlock] }));
  tool('test_audio_content', async () => ({ content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }] }));
  tool('test_embedded_resource', async () => ({
    content: [resourceBlock('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')]
  }));
  tool('test_multiple_content_types', async () => ({
    content: [
      textBlock('Multiple content types test:'),
      imageBlock,
      resourceBlock('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')
    ]
  }));
  tool('test_error_handling', async () => ({ isError: true, ...text('This tool intentionally returns an error for testing') }));
  tool('json_schema_2020_12_tool', async () => text('ok'), fromJsonSchema(richSchema), 'Tool with JSON Schema 2020-12 features');
  const region = fromJsonSchema(object({ region: { type: 'string', 'x-mcp-header': 'Region' } }));
  tool('test_x_mcp_header', async args => text(`region=${args.region}`), region);
}

function registerStreaming(plain) {
  plain('test_tool_with_logging', async ctx => {
    for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await ctx.mcpReq.log('info', message);
      await sleep(50);
    }
    return text('logged');
  });
  plain('test_tool_with_progress', async ctx => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      }
      await sleep(50);
    }
    return text('done');
  });
  plain('test_reconnection', async ctx => {
    ctx.http?.closeSSE?.();
    await sleep(2500);
    return text('Reconnection test completed');
  });
}

function registerQuestions(tool) {
  tool(
    'test_sampling',
    async ({ prompt }, ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'llm');
      if (answer.kind !== 'sampling') return ask({ llm: sample(prompt, 100) });
      return text(`LLM response: ${JSON.stringify(answer.result.content)}`);
    },
    z.object({ prompt: z.string() })
  );
  const asks = (name, message, requestedSchema, input = z.object({})) =>
    tool(
      name,
      async (args, ctx) => {
        const answer = inputResponse(ctx.mcpReq.inputResponses, 'form');
        if (answer.kind !== 'elicit') {
          return ask({ form: inputRequired.elicit({ message: args?.message ?? message, requestedSchema }) });
        }
        return text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
      },
      input
    );
  asks('test_elicitation', '', userForm, z.object({ message: z.string() }));
  asks('test_elicitation_sep1034_defaults', 'defaults', formWithDefaults);
  asks('test_elicitation_sep1330_enums', 'enums', formWithEnums);
}

// tool(name, run(args, context), inputSchema, description); plain(name, run(context)) takes no arguments.
export function registerTools({ tool, plain }) {
  registerContent(tool);
  registerStreaming(plain);
  registerQuestions(tool);
}
