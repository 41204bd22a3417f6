// The scripted server of the wire matrix: one surface, in whichever era and on whichever transport. What a
// row of features.mjs needs of a server is here, one entry of `tools` or one method.
import { Refusal, levels, meta, modern } from '../peers/words.mjs';
import { questions } from './asking.mjs';
import { Tasks } from './tasks.mjs';

const text = value => ({ type: 'text', text: value });
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const empty = { type: 'object' };
const pause = (ms, signal) =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });

// name -> { definition, run(args, request, context, server), only: an era }; a run returns a CallToolResult.
const tools = {
  echo: {
    definition: {
      title: 'Echo',
      description: 'Says what it was called with.',
      inputSchema: { type: 'object', properties: { value: {} }, additionalProperties: true },
      annotations: { readOnlyHint: true }
    },
    run: (_args, { params }) => ({ content: [text(JSON.stringify(params))] })
  },
  kinds: {
    definition: { description: 'Content of every kind.', inputSchema: empty },
    run: () => ({
      content: [
        text('words'),
        { type: 'image', data: png, mimeType: 'image/png' },
        { type: 'audio', data: png, mimeType: 'audio/wav' },
        { type: 'resource', resource: { uri: 'wire://embedded', mimeType: 'text/plain', text: 'embedded' } },
        { type: 'resource_link', uri: 'wire://words', name: 'words', mimeType: 'text/plain' }
      ]
    })
  },
  structured: {
    definition: {
      description: 'A structured result.',
      inputSchema: empty,
      outputSchema: { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'] }
    },
    run: () => ({ content: [text('{"sum":42}')], structuredContent: { sum: 42 } })
  },
  numbers: {
    only: 'modern', // legacy structured content is an object
    definition: { description: 'A structured result that is no object.', inputSchema: empty, outputSchema: { type: 'array' } },
    run: () => ({ content: [], structuredContent: [1, 2] })
  },
  regional: {
    definition: {
      description: 'Wants an argument mirrored in a header.',
      inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
    },
    run: args => ({ content: [text(String(args.region))] })
  },
  fail: {
    definition: { description: 'Fails.', inputSchema: empty },
    run: () => ({ isError: true, content: [text('as asked')] })
  },
  refuse: {
    definition: { description: 'Answers with an error object.', inputSchema: empty },
    run: () => { throw new Refusal(-32603, 'as asked', { why: 'the script says so' }); }
  },
  steps: {
    definition: { description: 'Three steps with progress.', inputSchema: empty },
    run: async (_args, { params }, { notify, signal }) => {
      const progressToken = params._meta?.progressToken;
      for (const progress of [1, 2, 3]) {
        if (progressToken !== undefined) notify('notifications/progress', { progressToken, progress, total: 3, message: `step ${progress}` });
        await pause(5, signal);
      }
      return { content: [text('three steps')] };
    }
  },
  wait: {
    definition: { description: 'Waits until it is cancelled.', inputSchema: empty },
    run: async (args, _request, { notify, signal }, server) => {
      server.waiting.add(args.label);
      await pause(20_000, signal);
      if (signal.aborted) server.cancelled.add(args.label);
      return { content: [text('waited')] };
    }
  },
  log: {
    definition: { description: 'Logs at two levels.', inputSchema: empty },
    run: (_args, { params }, { era, notify }, server) => {
      const wanted = era === 'modern' ? params._meta?.[meta.logLevel] : (server.level ?? 'debug');
      for (const level of ['debug', 'warning']) {
        if (wanted !== undefined && levels.indexOf(level) >= levels.indexOf(wanted)) {
          notify('notifications/message', { level, logger: 'wire', data: { said: level } });
        }
      }
      return { content: [text('logged')] };
    }
  },
  ask: {
    definition: { description: 'Asks its client something and says what it was told.', inputSchema: empty },
    run: async ({ kind }, { params: { inputResponses, requestState } }, { era, ask }) => {
      const { method, params } = questions[kind];
      const state = `the state of ${kind}`;
      if (era === 'legacy') {
        const id = kind === 'url' && { elicitationId: 'of-this-server' };
        return { content: [text(JSON.stringify(await ask(method, { ...params, ...id })))] };
      }
      if (!inputResponses) return { resultType: 'input_required', inputRequests: { it: { method, params } }, requestState: state };
      if (requestState !== state) throw new Refusal(-32602, 'the state came back changed');
      return { content: [text(JSON.stringify(inputResponses.it))] };
    }
  },
  touch: {
    definition: { description: 'Updates the first resource.', inputSchema: empty },
    run: (_args, _request, _context, server) => {
      server.updated(resources[0].uri);
      return { content: [text('touched')] };
    }
  },
  job: {
    definition: { description: 'Is only done as a task.', inputSchema: empty },
    execution: { taskSupport: 'required' },
    run: (args, request, _context, server) => {
      if (!server.tasks.wants(request)) throw new Refusal(-32601, 'only as a task');
      return server.tasks.start(args);
    }
  },
  toggle: {
    definition: { description: 'Adds a tool, a prompt and a resource, or takes them away.', inputSchema: empty },
    run: (_args, _request, _context, server) => {
      server.toggled = !server.toggled;
      for (const kind of ['tools', 'prompts', 'resources']) server.changed(`notifications/${kind}/list_changed`);
      return { content: [text(String(server.toggled))] };
    }
  }
};

const prompts = [
  { name: 'greet', title: 'Greet', description: 'Greets.', arguments: [{ name: 'who', description: 'whom', required: true }] },
  { name: 'plain', description: 'Takes nothing.' }
];
const resources = [
  { uri: 'wire://words', name: 'words', mimeType: 'text/plain', size: 5, annotations: { audience: ['user'], priority: 0.5 } },
  { uri: 'wire://bytes', name: 'bytes', mimeType: 'image/png' }
];
const templates = [{ uriTemplate: 'wire://city/{name}', name: 'city', description: 'A city.', mimeType: 'text/plain' }];
const cities = ['Berlin', 'Bern', 'Lisbon'];

const contents = uri => {
  if (uri === 'wire://words') return [{ uri, mimeType: 'text/plain', text: 'words' }];
  if (uri === 'wire://bytes') return [{ uri, mimeType: 'image/png', blob: png }];
  const city = /^wire:\/\/city\/(\w+)$/.exec(uri)?.[1];
  return city && [{ uri, mimeType: 'text/plain', text: city }];
};

export class WireServer {
  constructor(era) {
    this.era = era;
    this.waiting = new Set();
    this.cancelled = new Set();
    this.listeners = new Set(); // of { notify, id, filter }
    this.subscribed = new Set(); // legacy: URIs
    this.tasks = new Tasks(era);
    this.respond = (request, context) => this.answer(request, context);
  }

  // Tells whoever listens: modern clients by their listen, legacy ones through `announce` of the transport.
  changed(method) {
    if (this.era === 'legacy') return this.announce(method);
    const [, kind] = /^notifications\/(\w+)\/list_changed$/.exec(method);
    for (const { notify, id, filter } of this.listeners) {
      if (filter[`${kind}ListChanged`]) notify(method, { _meta: { [meta.subscriptionId]: id } });
    }
  }

  updated(uri) {
    const method = 'notifications/resources/updated';
    if (this.era === 'legacy') return this.subscribed.has(uri) && this.announce(method, { uri });
    for (const { notify, id, filter } of this.listeners) {
      if (filter.resourceSubscriptions?.includes(uri)) notify(method, { uri, _meta: { [meta.subscriptionId]: id } });
    }
  }

  lists() {
    const extra = this.toggled ? ['toggled'] : [];
    return {
      'tools/list': {
        tools: [
          ...Object.entries(tools)
            .filter(([, { only = this.era }]) => only === this.era)
            .map(([name, { definition, execution }]) => ({ name, ...definition, ...(execution && this.era === 'legacy' && { execution }) })),
          ...extra.map(name => ({ name, inputSchema: empty }))
        ]
      },
      'prompts/list': { prompts: [...prompts, ...extra.map(name => ({ name }))] },
      'resources/list': { resources: [...resources, ...extra.map(name => ({ uri: `wire://${name}`, name }))] },
      'resources/templates/list': { resourceTemplates: templates }
    };
  }

  // Two items a page; a cursor is the place of the next.
  page(method, { cursor = '0' } = {}) {
    const [[key, items]] = Object.entries(this.lists()[method]);
    const start = Number(cursor);
    if (!Number.isInteger(start)) throw new Refusal(-32602, 'invalid cursor');
    const more = start + 2 < items.length;
    return { [key]: items.slice(start, start + 2), ...(more && { nextCursor: String(start + 2) }) };
  }

  capabilities() {
    const changes = { listChanged: true };
    const common = { tools: changes, prompts: changes, resources: { ...changes, subscribe: true }, logging: {}, completions: {} };
    return { ...common, ...this.tasks.capabilities() };
  }

  async call(request, context) {
    const { name, arguments: args = {} } = request.params;
    if (name === 'toggled' && this.toggled) return { content: [text('toggled')] };
    if (!tools[name]) throw new Refusal(-32602, `unknown tool ${name}`);
    return tools[name].run(args, request, context, this);
  }

  // What both eras have, in the words of either.
  async common(request, context) {
    const { method, params = {} } = request;
    switch (method) {
      case 'tools/list':
      case 'prompts/list':
      case 'resources/list':
      case 'resources/templates/list':
        return this.page(method, params);
      case 'tools/call': return this.call(request, context);
      case 'prompts/get':
        if (!prompts.some(({ name }) => name === params.name)) throw new Refusal(-32602, `unknown prompt ${params.name}`);
        return { description: 'a greeting', messages: [{ role: 'user', content: text(`hello ${params.arguments?.who ?? ''}`) }] };
      case 'resources/read': {
        const found = contents(params.uri);
        if (!found) throw new Refusal(this.era === 'modern' ? -32602 : -32002, 'resource not found', { uri: params.uri });
        return { contents: found };
      }
      case 'completion/complete': {
        const values = cities.filter(city => city.startsWith(params.argument.value));
        return { completion: { values, total: values.length, hasMore: false } };
      }
      default: throw new Refusal(-32601, `unknown method ${method}`);
    }
  }

  async modern(request, context) {
    const { method, id, params } = request;
    const cacheable = /^(server\/discover|resources\/read|.*\/list)$/.test(method) ? { ttlMs: 0, cacheScope: 'private' } : {};
    const complete = value => ({ resultType: 'complete', ...cacheable, ...value, _meta: { [meta.serverInfo]: { name: 'wire', version: '1.0.0' } } });
    if (method === 'server/discover') return complete({ supportedVersions: [modern], capabilities: this.capabilities() });
    if (method.startsWith('tasks/')) return complete((await this.tasks.serve(request, context)) ?? (await this.common(request, context)));
    if (method !== 'subscriptions/listen') return complete(await this.common(request, context));
    const tag = { [meta.subscriptionId]: id };
    context.notify('notifications/subscriptions/acknowledged', { _meta: tag, notifications: params.notifications });
    const listener = { notify: context.notify, id, filter: params.notifications };
    this.listeners.add(listener);
    await new Promise(resolve => context.signal.addEventListener('abort', resolve, { once: true }));
    this.listeners.delete(listener);
    return { resultType: 'complete', _meta: tag };
  }

  async legacy(request, context) {
    const { method, params } = request;
    switch (method) {
      case 'initialize':
        return { protocolVersion: params.protocolVersion, capabilities: this.capabilities(), serverInfo: { name: 'wire', version: '1.0.0' } };
      case 'ping': return {};
      case 'logging/setLevel':
        this.level = params.level;
        return {};
      case 'resources/subscribe':
        this.subscribed.add(params.uri);
        return {};
      case 'resources/unsubscribe':
        this.subscribed.delete(params.uri);
        return {};
      default: return (await this.tasks.serve(request, context)) ?? this.common(request, context);
    }
  }

  async answer(request, context) {
    if (!('id' in request)) return undefined;
    return this.era === 'modern' ? this.modern(request, context) : this.legacy(request, context);
  }
}
