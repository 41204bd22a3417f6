// An upstream for the suite's server scenarios, on the official SDK, in both eras: everything the scenarios
// ask for by name, the same on every transport. It passes each of them directly; that run is the baseline.
import * as z from 'zod/v4';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { registerInputTools } from './input-tools.mjs';
import { registerTools } from './tools.mjs';
import { imageBlock, png, resourceBlock, says, states } from './words.mjs';

function registerResources(server) {
  const resource = (name, uri, mimeType, body) =>
    server.registerResource(name, uri, { mimeType, description: name }, async url => ({
      contents: [{ uri: url.href, mimeType, ...body }]
    }));
  resource('static-text', 'test://static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  resource('static-binary', 'test://static-binary', 'image/png', { blob: png });
  resource('watched', 'test://watched-resource', 'text/plain', { text: 'Watched resource content' });
  const mimeType = 'application/json';
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { mimeType, description: 'template' }, async (url, { id }) => ({
    contents: [{ uri: url.href, mimeType, text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }]
  }));
  server.server.setRequestHandler('resources/subscribe', async () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', async () => ({}));
}

function registerPrompts(prompt) {
  prompt('test_simple_prompt', async () => says('This is a simple prompt for testing.'));
  prompt(
    'test_prompt_with_arguments',
    async ({ arg1, arg2 }) => says(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
    z.object({ arg1: z.string(), arg2: z.string() })
  );
  prompt(
    'test_prompt_with_embedded_resource',
    async ({ resourceUri }) =>
      says(
        resourceBlock(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
        'Please process the embedded resource above.'
      ),
    z.object({ resourceUri: z.string() })
  );
  prompt('test_prompt_with_image', async () => says(imageBlock, 'Please analyze the image above.'));
}

const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  logging: {},
  completions: {}
};

// What the trigger tools turn on and off: a changed list is really another one.
class Extras {
  constructor(server, { tools, prompts }) {
    this.add = {
      tools: () => server.registerTool('extra_tool', { description: 'Comes and goes.' }, async () => ({ content: [] })),
      prompts: () => server.registerPrompt('extra_prompt', { description: 'Comes and goes.' }, async () => says())
    };
    this.registered = {};
    this.show('tools', tools);
    this.show('prompts', prompts);
  }
  show(kind, on) {
    if (on === Boolean(this.registered[kind])) return;
    if (on) this.registered[kind] = this.add[kind]();
    else {
      this.registered[kind].remove();
      this.registered[kind] = undefined;
    }
  }
}

// changes(extras) -> { tools(), prompts() }: how this transport changes a list and says so. `state` is what
// is shown: { tools, prompts }.
export function build(changes, state = { tools: false, prompts: false }) {
  const server = new McpServer(
    { name: 'conformance-upstream', version: '1.0.0' },
    { requestState: { verify: states.verify }, capabilities }
  );
  const tool = (name, run, inputSchema, description = name) =>
    server.registerTool(name, { description, ...(inputSchema && { inputSchema }) }, run);
  const plain = (name, run) => tool(name, (_arguments, ctx) => run(ctx), z.object({}));
  const prompt = (name, run, argsSchema) =>
    server.registerPrompt(name, { description: name, ...(argsSchema && { argsSchema }) }, run);
  const later = { tools: () => changing.tools(), prompts: () => changing.prompts() };
  registerTools({ tool, plain });
  registerInputTools({ plain, prompt, ofSession: () => server.server.getClientCapabilities() }, later);
  registerResources(server);
  registerPrompts(prompt);
  server.server.setRequestHandler('completion/complete', async () => ({
    completion: { values: [], total: 0, hasMore: false }
  }));
  const changing = changes(new Extras(server, state));
  return server;
}

// A server that lives as long as its connection: the SDK announces what is registered and removed.
export const changesOnConnection = extras => {
  const toggle = kind => extras.show(kind, !extras.registered[kind]);
  return { tools: () => toggle('tools'), prompts: () => toggle('prompts') };
};
