// Tasks of the scripted server, in the dialect of its era: the experimental part of 2025-11-25, or the extension
// io.modelcontextprotocol/tasks, whose messages no schema of the core describes; theirs is at the end of this file.
import { randomUUID } from 'node:crypto';
import { Refusal, meta, tasksExtension } from '../peers/words.mjs';

const text = value => ({ content: [{ type: 'text', text: value }] });
const related = taskId => ({ _meta: { 'io.modelcontextprotocol/related-task': { taskId } } });
const over = task => ['completed', 'cancelled'].includes(task.status);
export const name = { message: 'Who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } };

// What a tool's run gives to become a task: { label } ends when `finish` is called with it, { asks } with its answer.
export class Tasks {
  constructor(era) {
    this.era = era;
    this.tasks = new Map();
    this.labels = new Map(); // label -> task
  }
  capabilities() {
    if (this.era === 'modern') return { extensions: { [tasksExtension]: {} } };
    return { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };
  }
  wants({ params }) {
    if (this.era === 'legacy') return params.task !== undefined;
    return params._meta?.[meta.capabilities]?.extensions?.[tasksExtension] !== undefined;
  }
  start({ label, asks }) {
    const task = { taskId: randomUUID(), status: asks ? 'input_required' : 'working', asks, ended: Promise.withResolvers?.() };
    task.ended ??= (() => { let resolve; const promise = new Promise(r => { resolve = r; }); return { promise, resolve }; })();
    this.tasks.set(task.taskId, task);
    if (label) this.labels.set(label, task);
    return this.era === 'modern' ? { resultType: 'task', ...this.wire(task, 'working') } : { task: this.wire(task, 'working') };
  }
  finish(label, result = text(`did ${label}`)) {
    this.end(this.labels.get(label), 'completed', result);
  }
  isCancelled(label) {
    return this.labels.get(label)?.status === 'cancelled';
  }
  end(task, status, result) {
    if (!over(task)) Object.assign(task, { status, result });
    task.ended.resolve();
  }
  wire({ taskId, status }, shown = status) {
    const now = '2026-08-01T00:00:00Z';
    const times = this.era === 'modern' ? { ttlMs: 60_000, pollIntervalMs: 20 } : { ttl: 60_000, pollInterval: 20 };
    return { taskId, status: shown, createdAt: now, lastUpdatedAt: now, ...times };
  }
  find({ params }) {
    const task = this.tasks.get(params.taskId);
    if (!task) throw new Refusal(-32602, 'unknown task');
    return task;
  }
  // undefined: the method is not about tasks.
  async serve(request, context) {
    const { method, params } = request;
    if (method === 'tasks/get') return this.get(this.find(request));
    if (method === 'tasks/cancel') return this.cancel(this.find(request));
    if (method === 'tasks/update' && this.era === 'modern') {
      const { who } = params.inputResponses;
      if (who) this.end(this.find(request), 'completed', text(JSON.stringify(who)));
      return {};
    }
    if (method === 'tasks/result' && this.era === 'legacy') return this.result(this.find(request), context);
    return undefined;
  }
  get(task) {
    const wire = this.wire(task);
    if (this.era === 'legacy') return wire;
    if (task.status === 'completed') return { ...wire, result: { resultType: 'complete', ...task.result } };
    if (task.status !== 'input_required') return wire;
    return { ...wire, inputRequests: { who: { method: 'elicitation/create', params: { mode: 'form', ...name } } } };
  }
  cancel(task) {
    if (over(task) && this.era === 'legacy') throw new Refusal(-32602, 'it is over');
    this.end(task, 'cancelled');
    return this.era === 'modern' ? {} : this.wire(task);
  }
  async result(task, { ask }) {
    if (task.status === 'input_required') {
      const answer = await ask('elicitation/create', { mode: 'form', ...name, ...related(task.taskId) });
      this.end(task, 'completed', text(JSON.stringify(answer)));
    }
    await task.ended.promise;
    if (task.status === 'cancelled') throw new Refusal(-32603, 'cancelled');
    return { ...task.result, ...related(task.taskId) };
  }
}

// ---- the extension's messages (ext-tasks), for schema.mjs

const $ref = definition => ({ $ref: `#/$defs/${definition}` });
const state = {
  type: 'object',
  properties: {
    taskId: { type: 'string' },
    status: { enum: ['working', 'input_required', 'completed', 'failed', 'cancelled'] },
    statusMessage: { type: 'string' },
    createdAt: { type: 'string', format: 'date-time' },
    lastUpdatedAt: { type: 'string', format: 'date-time' },
    ttlMs: { type: ['integer', 'null'], minimum: 0 },
    pollIntervalMs: { type: 'integer', minimum: 0 }
  },
  required: ['taskId', 'status', 'createdAt', 'lastUpdatedAt', 'ttlMs'],
  not: { anyOf: ['task', 'ttl', 'pollInterval'].map(member => ({ required: [member] })) } // of the other dialect
};
const typed = (resultType, ...parts) => ({
  allOf: [...parts, { type: 'object', properties: { resultType: { const: resultType } }, required: ['resultType'] }]
});
const when = (status, member, schema) => ({
  if: { properties: { status: { const: status } } },
  then: { properties: { [member]: schema }, required: [member] },
  else: { not: { required: [member] } }
});
const ask = (method, more = {}) => ({
  type: 'object',
  properties: {
    jsonrpc: { const: '2.0' },
    id: { type: ['string', 'integer'] },
    method: { const: method },
    params: {
      type: 'object',
      properties: { taskId: { type: 'string' }, _meta: $ref('RequestMetaObject'), ...more },
      required: ['taskId', '_meta', ...Object.keys(more)]
    }
  },
  required: ['jsonrpc', 'id', 'method', 'params']
});
export const extensionDefinitions = {
  CreateTaskResult: typed('task', state),
  GetTaskRequest: ask('tasks/get'),
  GetTaskResult: typed(
    'complete',
    state,
    when('completed', 'result', $ref('CallToolResult')),
    when('input_required', 'inputRequests', $ref('InputRequests')),
    when('failed', 'error', { type: 'object', required: ['code', 'message'] })
  ),
  UpdateTaskRequest: ask('tasks/update', { inputResponses: $ref('InputResponses') }),
  UpdateTaskResult: typed('complete'),
  CancelTaskRequest: ask('tasks/cancel'),
  CancelTaskResult: typed('complete')
};
