// A row a feature: what a client does with it through the gateway, whatever era either side speaks. After each
// row every message that it caused, on both sides, is held against the schemas; a row need not do that.
//
// run({ client, server, name, sent }):
// speaks(client, server): whether the row applies to these eras and versions.
//   client   a scripted client of peers/clients.mjs    server  the WireServer behind the gateway
//   name(n)  what the gateway calls the server's n     sent()  messages that the server's side saw since the row began
//   another(options, capabilities)  one more client of the same version, which declares capabilities(client)
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { decodeHeader, meta, modern } from '../peers/words.mjs';
import { asks, asksWithinTasks, cancelsTasks, haveTasks, questions, refusesQuestions, runsTasks, updates } from './asking.mjs';
import { until } from './until.mjs';

const code = wanted => error => {
  assert.equal(error.code, wanted, `${error.code} ${error.message}`);
  return true;
};

// All pages of a list.
async function all(client, method, key) {
  const items = [];
  let cursor;
  do {
    const page = await client.call(method, cursor === undefined ? {} : { cursor });
    items.push(...page[key]);
    cursor = page.nextCursor;
    assert.ok(items.length < 1000, 'the list has no end');
  } while (cursor !== undefined);
  return items;
}
const names = items => items.map(item => item.name);
const callTool = (client, tool, args, options) => client.call('tools/call', { name: tool, ...(args && { arguments: args }) }, options);

// resource's own name -> the URI that clients use
async function uris(client) {
  const resources = await all(client, 'resources/list', 'resources');
  return Object.fromEntries(resources.map(({ name, uri }) => [name.replace(/^.*__/, ''), uri]));
}

async function reads(client) {
  const known = await uris(client);
  const words = await client.call('resources/read', { uri: known.words });
  assert.deepEqual(words.contents, [{ uri: known.words, mimeType: 'text/plain', text: 'words' }]);
  const bytes = await client.call('resources/read', { uri: known.bytes });
  assert.equal(bytes.contents[0].uri, known.bytes);
  assert.ok(bytes.contents[0].blob);
}

async function announces({ client, name }) {
  const heard = new Set();
  const filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
  const subscription = await client.listen(filter, message => heard.add(message.method));
  try {
    for (const present of [true, false]) {
      heard.clear();
      await callTool(client, name('toggle'));
      await until('three announcements', () => ['tools', 'prompts', 'resources'].every(kind => heard.has(`notifications/${kind}/list_changed`)));
      assert.equal(names(await all(client, 'tools/list', 'tools')).includes(name('toggled')), present);
    }
  } finally {
    subscription.stop();
  }
}

async function cancels({ client, server, name, sent }) {
  const label = randomUUID();
  if (client.era === 'modern') {
    const abort = new AbortController();
    const call = assert.rejects(callTool(client, name('wait'), { label }, { signal: abort.signal }));
    await until('the call at the server', () => server.waiting.has(label));
    abort.abort();
    await call;
  } else {
    // no answer comes to a cancelled call: it is left behind
    const abort = new AbortController();
    const call = callTool(client, name('wait'), { label }, { signal: abort.signal }).catch(() => {});
    const id = client.sent;
    await until('the call at the server', () => server.waiting.has(label));
    await client.cancel(id);
    await until('the cancel at the server', () => server.cancelled.has(label));
    abort.abort();
    await call;
  }
  await until('the cancel at the server', () => server.cancelled.has(label));
  const answers = sent().filter(({ from, message, method }) => from === 'server' && method === 'tools/call' && message.result);
  assert.deepEqual(answers, [], 'the script answered a cancelled call');
}

// Levels that came on the stream of a call, by what the client asked for.
async function logs({ client, name }) {
  const heard = async level => {
    const seen = [];
    const on = message => { if (message.method === 'notifications/message') seen.push(message.params.level); };
    const asks = client.era === 'modern' && level ? { _meta: { [meta.logLevel]: level } } : {};
    if (client.era === 'legacy') await client.call('logging/setLevel', { level: level ?? 'emergency' });
    await client.call('tools/call', { name: name('log'), arguments: {}, ...asks }, { on });
    return seen;
  };
  assert.deepEqual(await heard(undefined), []);
  assert.deepEqual(await heard('warning'), ['warning']);
  assert.deepEqual(await heard('debug'), ['debug', 'warning']);
  if (client.era === 'legacy') await assert.rejects(client.call('logging/setLevel', { level: 'loud' }, { invalid: true }), code(-32602));
}

const knows = kind => ({ version }) => version >= questions[kind].since;

export const features = [
  {
    title: 'says who it is and what it can do',
    run: async ({ client }) => {
      for (const kind of ['tools', 'prompts', 'resources']) assert.equal(client.server.capabilities[kind]?.listChanged, true, kind);
      assert.ok(client.server.capabilities.completions || client.version === '2024-11-05');
      assert.ok(client.server.capabilities.logging);
    }
  },
  {
    title: 'lists everything once, over pages',
    run: async ({ client, name }) => {
      const tools = names(await all(client, 'tools/list', 'tools'));
      assert.equal(new Set(tools).size, tools.length);
      for (const tool of ['echo', 'kinds', 'toggle']) assert.ok(tools.includes(name(tool)), tool);
      assert.deepEqual(names(await all(client, 'prompts/list', 'prompts')), [name('greet'), name('plain')]);
      assert.equal((await all(client, 'resources/list', 'resources')).length, 2);
      assert.equal((await all(client, 'resources/templates/list', 'resourceTemplates')).length, 1);
      await assert.rejects(client.call('tools/list', { cursor: 'made up' }), code(-32602));
    }
  },
  {
    title: 'passes arguments and unknown members on as they are',
    run: async ({ client, name }) => {
      const value = { deep: [1, 2.5, 1e300, 'quotes " \\ \u0000 \u2028 \u{1F600}', null, { '': true }] };
      const extra = { arguments: { value }, 'example.com/extra': { kept: true }, _meta: { 'example.com/meta': ['kept'] } };
      const { content } = await client.call('tools/call', { name: name('echo'), ...extra });
      const seen = JSON.parse(content[0].text);
      assert.deepEqual(seen.arguments, { value });
      assert.deepEqual(seen['example.com/extra'], { kept: true });
      assert.deepEqual(seen._meta['example.com/meta'], ['kept']);
      const bare = JSON.parse((await callTool(client, name('echo'))).content[0].text);
      assert.equal('arguments' in bare, false, 'no arguments where the client sent none');
    }
  },
  {
    title: 'returns content of every kind',
    run: async ({ client, name }) => {
      const { content } = await callTool(client, name('kinds'), {});
      assert.equal(content[0].text, 'words');
      assert.equal(content.length, 5);
    }
  },
  {
    title: 'returns structured content',
    run: async ({ client, name }) => {
      const { content, structuredContent } = await callTool(client, name('structured'), {});
      assert.equal(content[0].text, '{"sum":42}');
      if (client.version >= '2025-06-18') assert.deepEqual(structuredContent, { sum: 42 });
    }
  },
  {
    title: 'returns structured content that is no object as far as the client can read it',
    speaks: (_client, server) => server.era === 'modern',
    run: async ({ client, name }) => {
      const { content, structuredContent } = await callTool(client, name('numbers'), {});
      if (client.era === 'modern') assert.deepEqual(structuredContent, [1, 2]);
      else assert.deepEqual([structuredContent, content[0].text], [undefined, '[1,2]']);
    }
  },
  {
    title: 'mirrors arguments in headers as the schema of the server asks',
    run: async ({ client, name, sent }) => {
      for (const region of ['eu', ' \u00e9 ', '']) {
        assert.equal((await callTool(client, name('regional'), { region })).content[0].text, region);
        const { headers, version } = sent().findLast(({ from, message }) => from === 'gateway' && message.method === 'tools/call');
        if (headers && version === modern) assert.equal(decodeHeader(headers['mcp-param-region']), region);
      }
    }
  },
  {
    title: 'tells a failed tool from an error',
    run: async ({ client, name }) => {
      const result = await callTool(client, name('fail'), {});
      assert.equal(result.isError, true);
      await assert.rejects(callTool(client, name('refuse'), {}), error => {
        assert.deepEqual([error.code, error.message, error.data], [-32603, 'as asked', { why: 'the script says so' }]);
        return true;
      });
    }
  },
  {
    title: 'refuses what does not exist',
    run: async ({ client, name }) => {
      await assert.rejects(callTool(client, name('nothing'), {}), code(-32602));
      await assert.rejects(client.call('prompts/get', { name: name('nothing') }), code(-32602));
      await assert.rejects(client.call('resources/read', { uri: 'nobody://nothing' }), code(client.era === 'modern' ? -32602 : -32002));
      await assert.rejects(client.call('nothing/at-all', {}, { invalid: true }), code(-32601));
    }
  },
  {
    title: 'relays progress, rising, under the token of the client, before the result',
    run: async ({ client, name }) => {
      for (const progressToken of ['a "token"', 7]) {
        const heard = [];
        const params = { name: name('steps'), arguments: {}, _meta: { progressToken } };
        await client.call('tools/call', params, { on: message => heard.push(message.params) });
        assert.deepEqual(heard.map(({ progress }) => progress), [1, 2, 3]);
        assert.ok(heard.every(params => params.progressToken === progressToken));
      }
      const silent = [];
      await callTool(client, name('steps'), {}, { on: message => silent.push(message) });
      assert.deepEqual(silent, [], 'nobody asked for progress');
    }
  },
  { title: 'cancels a call at the server', run: cancels },
  { title: 'delivers log messages at the level that was asked for', run: logs },
  {
    title: 'gets prompts',
    run: async ({ client, name }) => {
      const { messages } = await client.call('prompts/get', { name: name('greet'), arguments: { who: 'Ada' } });
      assert.equal(messages[0].content.text, 'hello Ada');
      await client.call('prompts/get', { name: name('plain') });
    }
  },
  { title: 'reads resources under the URI that it lists', run: ({ client }) => reads(client) },
  {
    title: 'reads what a template describes and completes its arguments',
    run: async ({ client, name }) => {
      const [{ uriTemplate }] = await all(client, 'resources/templates/list', 'resourceTemplates');
      const uri = uriTemplate.replace('{name}', 'Bern');
      const { contents } = await client.call('resources/read', { uri });
      assert.deepEqual([contents[0].uri, contents[0].text], [uri, 'Bern']);
      const argument = { name: 'name', value: 'Ber' };
      const byUri = await client.call('completion/complete', { ref: { type: 'ref/resource', uri: uriTemplate }, argument });
      assert.deepEqual(byUri.completion.values, ['Berlin', 'Bern']);
      const byName = await client.call('completion/complete', { ref: { type: 'ref/prompt', name: name('greet') }, argument: { name: 'who', value: 'L' } });
      assert.deepEqual(byName.completion.values, ['Lisbon']);
    }
  },
  { title: 'announces changes of the lists and then shows them', run: announces },
  { title: 'tells of updates of a resource to whoever subscribed', run: updates },
  { title: 'asks for a form within a call', speaks: knows('form'), run: asks('form') },
  { title: 'sends to a page within a call', speaks: knows('url'), run: asks('url') },
  { title: 'samples within a call', speaks: knows('sampling'), run: asks('sampling') },
  { title: 'asks for roots within a call', speaks: knows('roots'), run: asks('roots') },
  { title: 'asks nothing of a client that declares nothing', run: refusesQuestions },
  { title: 'runs a call as a task', speaks: haveTasks, run: runsTasks },
  { title: 'cancels a task at the server', speaks: haveTasks, run: cancelsTasks },
  { title: 'asks within a task', speaks: haveTasks, run: asksWithinTasks },
  {
    title: 'answers a ping',
    speaks: client => client.era === 'legacy',
    run: async ({ client }) => assert.deepEqual(await client.call('ping'), {})
  }
];
