// Rows of the matrix in which the server wants something of its client: questions within a call, and tasks.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { tasksExtension } from '../peers/words.mjs';
import { until } from './until.mjs';

// kind -> what the server asks, what the client answers, and since when legacy clients know it
export const questions = {
  form: {
    method: 'elicitation/create',
    params: { mode: 'form', message: 'Which?', requestedSchema: { type: 'object', properties: { s: { type: 'string' } } } },
    answer: { action: 'accept', content: { s: 'eng' } },
    since: '2025-06-18'
  },
  url: {
    method: 'elicitation/create',
    params: { mode: 'url', message: 'Log in', url: 'https://example.com/login' },
    answer: { action: 'accept' },
    since: '2025-11-25'
  },
  sampling: {
    method: 'sampling/createMessage',
    params: { messages: [{ role: 'user', content: { type: 'text', text: 'And?' } }], maxTokens: 5 },
    answer: { role: 'assistant', content: { type: 'text', text: 'so' }, model: 'scripted' },
    since: '2025-03-26'
  },
  roots: {
    method: 'roots/list',
    params: {},
    answer: { roots: [{ uri: 'file:///home/someone' }] },
    since: '2025-03-26'
  }
};

// All that a client of a version can be asked, in its words.
function abilities({ era, version }) {
  const all = { sampling: {}, roots: {} };
  if (version >= '2025-06-18') all.elicitation = version === '2025-06-18' ? {} : { form: {}, url: {} };
  if (era === 'modern') all.extensions = { [tasksExtension]: {} };
  return all;
}

// The result of a call that may be asked: a modern client comes back with the answers, a legacy one is asked
// while it waits.
async function answered(client, params, answer) {
  const first = await client.call('tools/call', params);
  if (first.resultType !== 'input_required') return first;
  const inputResponses = Object.fromEntries(Object.keys(first.inputRequests).map(key => [key, answer]));
  const { requestState } = first;
  return client.call('tools/call', { ...params, inputResponses, ...(requestState !== undefined && { requestState }) });
}

export const asks = kind => async ({ another, name }) => {
  const { method, answer } = questions[kind];
  const heard = [];
  const client = await another({ answers: { [method]: params => { heard.push(params); return answer; } } }, abilities);
  try {
    // For half a second after a call was cancelled, a question on a channel that calls share is refused rather
    // than taken for the next call's (docs/decisions/0011).
    const { content } = await until('a question that is surely of this call', () =>
      answered(client, { name: name('ask'), arguments: { kind } }, answer).catch(error => {
        if (!error.message.startsWith('cannot tell which call')) throw error;
      })
    );
    assert.deepEqual(JSON.parse(content[0].text), answer);
    assert.equal(heard.length, client.era === 'legacy' ? 1 : 0);
  } finally {
    await client.close();
  }
};

export async function refusesQuestions({ client, name, sent }) {
  await client.call('tools/call', { name: name('ask'), arguments: { kind: 'form' } }, {}).catch(() => {});
  const asked = sent().filter(({ message }) => message.method === 'tools/call' && message.params.inputResponses);
  assert.deepEqual(asked, [], 'nobody answered for the client');
}

export async function updates({ client, server, name }) {
  const { resources } = await client.call('resources/list');
  const [{ uri }] = resources;
  const heard = [];
  const subscription = await client.listen({ resourceSubscriptions: [uri] }, message => heard.push(message));
  try {
    if (client.era === 'legacy') await client.call('resources/subscribe', { uri });
    else assert.deepEqual(subscription.honoured.resourceSubscriptions, [uri]);
    await client.call('tools/call', { name: name('touch'), arguments: {} });
    const told = () => heard.find(({ method }) => method === 'notifications/resources/updated');
    await until('the update', told);
    assert.equal(told().params.uri, uri);
    if (client.era === 'legacy') {
      await client.call('resources/unsubscribe', { uri });
      await until('the server to hear of the end', () => !server.subscribed.size || server.era === 'modern');
    }
  } finally {
    subscription.stop();
  }
}

// ---- tasks

// A client that takes tasks, and how its era starts one, asks of it and reads its end.
async function taking({ another, name }, answers = {}) {
  const client = await another({ answers }, abilities);
  const modern = client.era === 'modern';
  const about = (method, taskId, more) => client.call(method, { taskId, ...more });
  return {
    client,
    about,
    async start(args) {
      const result = await client.call('tools/call', { name: name('job'), arguments: args, ...(!modern && { task: { ttl: 60_000 } }) });
      const task = modern ? result : result.task;
      assert.equal(task.status, 'working');
      return task.taskId;
    },
    becomes: (taskId, status) => until(`the task to be ${status}`, async () => {
      const task = await about('tasks/get', taskId);
      return task.status === status && task;
    }),
    result: async taskId => (modern ? (await about('tasks/get', taskId)).result : about('tasks/result', taskId))
  };
}

export async function runsTasks(row) {
  const { client, about, start, becomes, result } = await taking(row);
  try {
    const label = randomUUID();
    const taskId = await start({ label });
    await becomes(taskId, 'working');
    row.server.tasks.finish(label);
    await becomes(taskId, 'completed');
    assert.equal((await result(taskId)).content[0].text, `did ${label}`);
    await assert.rejects(about('tasks/get', 'nobodys'), ({ code }) => code === -32602);
  } finally {
    await client.close();
  }
}

export async function cancelsTasks(row) {
  const { client, about, start, becomes } = await taking(row);
  try {
    const label = randomUUID();
    const taskId = await start({ label });
    await about('tasks/cancel', taskId);
    await becomes(taskId, 'cancelled');
    assert.ok(row.server.tasks.isCancelled(label));
  } finally {
    await client.close();
  }
}

export async function asksWithinTasks(row) {
  const answer = { action: 'accept', content: { name: 'Ada' } };
  const { client, about, start, becomes, result } = await taking(row, { 'elicitation/create': () => answer });
  try {
    const taskId = await start({ asks: true });
    const task = await becomes(taskId, 'input_required');
    if (client.era === 'modern') {
      const [key] = Object.keys(task.inputRequests);
      await about('tasks/update', taskId, { inputResponses: { [key]: answer } });
      await becomes(taskId, 'completed');
    }
    assert.deepEqual(JSON.parse((await result(taskId)).content[0].text), answer);
  } finally {
    await client.close();
  }
}

// Whether a client's revision has tasks; of a server both eras' peers here do.
export const haveTasks = ({ version }) => version >= '2025-11-25';
