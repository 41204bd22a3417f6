// An upstream for the scenarios of the extension io.modelcontextprotocol/tasks, which the SDK does not serve:
// sync tools, tools that become tasks, and one that insists on it.
import { randomUUID } from 'node:crypto';
import { Refusal, meta, modern, tasksExtension } from '../peers/words.mjs';

const text = value => ({ content: [{ type: 'text', text: value }] });
const complete = (body = {}) => ({ resultType: 'complete', ...body });
const cacheable = body => complete({ ttlMs: 0, cacheScope: 'private', ...body });
const form = (message, name, type) => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] } }
});
const terminal = ['completed', 'failed', 'cancelled'];

class Task {
  constructor(changed) {
    this.changed = changed;
    this.inputRequests = {};
    this.stopped = new AbortController();
    const now = new Date().toISOString();
    this.wire = { taskId: randomUUID(), status: 'working', createdAt: now, lastUpdatedAt: now, ttlMs: 600_000, pollIntervalMs: 100 };
  }
  set(status, more) {
    if (terminal.includes(this.wire.status)) return;
    Object.assign(this.wire, { status, lastUpdatedAt: new Date().toISOString() }, more);
    if (terminal.includes(status)) this.inputRequests = {};
    this.changed(this);
  }
  detailed() {
    return { ...this.wire, ...(this.wire.status === 'input_required' && { inputRequests: this.inputRequests }) };
  }
  cancel() {
    this.stopped.abort();
    this.set('cancelled');
  }
  // Resolves false when the task was cancelled meanwhile.
  sleep(ms) {
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve(true), ms);
      this.stopped.signal.addEventListener('abort', () => { clearTimeout(timer); resolve(false); }, { once: true });
    });
  }
  // Asks all questions at once; resolves the answers when each has come.
  ask(questions) {
    this.inputRequests = questions;
    this.answers = {};
    this.set('input_required');
    return new Promise(resolve => { this.answered = resolve; });
  }
  update(responses) {
    for (const [key, response] of Object.entries(responses)) {
      if (!(key in this.inputRequests)) continue;
      this.answers[key] = response;
      delete this.inputRequests[key];
    }
    if (this.wire.status === 'input_required' && !Object.keys(this.inputRequests).length) {
      this.set('working');
      this.answered(this.answers);
    }
  }
}

// name -> { required, run(args, sleep) for a synchronous call, work(task, args) for a task }
const jobs = {
  slow_compute: {
    run: ({ label = '' }) => text(`computed ${label}`),
    work: async (task, { seconds = 1, label = '' }) =>
      (await task.sleep(seconds * 1000)) && task.set('completed', { result: complete(text(`computed ${label}`)) })
  },
  failing_job: {
    required: true,
    work: async task => (await task.sleep(200)) && task.set('completed', { result: complete({ isError: true, ...text('failed as asked') }) })
  },
  protocol_error_job: {
    required: true,
    work: async task => (await task.sleep(200)) && task.set('failed', { error: { code: -32603, message: 'broke as asked' } })
  },
  confirm_delete: {
    required: true,
    work: async (task, { filename = '' }) => {
      const { confirm } = await task.ask({ confirm: form(`Delete ${filename}?`, 'confirm', 'boolean') });
      task.set('completed', { result: complete(text(`${confirm.action} ${filename}`)) });
    }
  },
  multi_input: {
    required: true,
    work: async task => {
      const answers = await task.ask({ first: form('First?', 'name', 'string'), second: form('Second?', 'name', 'string') });
      task.set('completed', { result: complete(text(Object.keys(answers).join(' '))) });
    }
  },
  // Asks before the task exists, in the call itself.
  test_tool_with_task: {
    required: true,
    before: responses => !responses?.user_name && { user_name: form('What is your name?', 'name', 'string') },
    work: async (task, _args, responses) => {
      await task.sleep(50);
      task.set('completed', { result: complete(text(`Hello, ${responses.user_name.content?.name}!`)) });
    }
  }
};

const anything = { type: 'object' };
const tools = [
  { name: 'greet', description: 'Greets.', inputSchema: { type: 'object', properties: { name: { type: 'string' } } } },
  ...Object.keys(jobs).map(name => ({ name, description: name, inputSchema: anything }))
];
const missingExtension = () =>
  new Refusal(-32021, 'this needs the tasks extension', { requiredCapabilities: { extensions: { [tasksExtension]: {} } } });

export function makeTasksServer() {
  const tasks = new Map();
  const listeners = new Set();
  const changed = task => { for (const listener of listeners) listener(task); };
  const find = id => {
    const task = tasks.get(id);
    if (!task) throw new Refusal(-32602, 'unknown task');
    return task;
  };

  function call({ name, arguments: args = {}, inputResponses }, declared) {
    if (name === 'greet') return complete(text(`Hello, ${args.name}!`));
    const job = jobs[name];
    if (!job) throw new Refusal(-32602, `unknown tool ${name}`);
    if (!declared && job.required) throw missingExtension();
    if (!declared) return complete(job.run(args));
    const inputRequests = job.before?.(inputResponses);
    if (inputRequests) return { resultType: 'input_required', inputRequests, requestState: 'asked-for-the-name' };
    const task = new Task(changed);
    tasks.set(task.wire.taskId, task);
    const created = { resultType: 'task', ...task.wire };
    void job.work(task, args, inputResponses);
    return created;
  }

  const onTasks = {
    'tasks/get': ({ taskId }) => complete(find(taskId).detailed()),
    'tasks/update': ({ taskId, inputResponses = {} }) => (find(taskId).update(inputResponses), complete()),
    'tasks/cancel': ({ taskId }) => (find(taskId).cancel(), complete())
  };

  async function listen({ id, params }, { notify, signal }, declared) {
    const { taskIds } = params.notifications;
    if (taskIds && !declared) throw missingExtension();
    const tag = { [meta.subscriptionId]: id };
    notify('notifications/subscriptions/acknowledged', { _meta: tag, notifications: taskIds ? { taskIds } : {} });
    const listener = task => {
      if (taskIds?.includes(task.wire.taskId)) notify('notifications/tasks', { _meta: tag, ...task.detailed() });
    };
    listeners.add(listener);
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
    listeners.delete(listener);
    return complete({ _meta: tag });
  }

  return async (message, context) => {
    const { method, params = {} } = message;
    const declared = params._meta?.[meta.capabilities]?.extensions?.[tasksExtension] !== undefined;
    if (method in onTasks) {
      if (!declared) throw missingExtension();
      return onTasks[method](params);
    }
    switch (method) {
      case 'server/discover':
        return cacheable({
          supportedVersions: [modern],
          capabilities: { tools: {}, extensions: { [tasksExtension]: {} } },
          _meta: { [meta.serverInfo]: { name: 'tasks-upstream', version: '1.0.0' } }
        });
      case 'tools/list': return cacheable({ tools });
      case 'tools/call': return call(params, declared);
      case 'subscriptions/listen': return listen(message, context, declared);
      default: throw new Refusal(-32601, `unknown method ${method}`);
    }
  };
}
