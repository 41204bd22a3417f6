// The agents' best practices: their code as it is written, in the official Python client, and their
// patterns and testing checklist in the TypeScript clients of both eras.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { eras } from './clients.mjs';
import { startOrchestration } from './harness.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const python = path.join(here, '../../build/python/interop/bin/python');
const modes = { legacy: 'legacy', modern: '2026-07-28' };

// What a tool answers; what it refuses is thrown.
function toolsOf(client) {
  return async (name, args = {}) => {
    const result = await client.call(`orchestration_${name}`, args);
    if (result.isError) throw new Error(result.content[0].text);
    return result.structuredContent;
  };
}

const patterns = {
  'testing checklist': async call => {
    const { task_id } = await call('create_task', { content: 'work' });
    assert.ok(task_id);
    await call('register_agent', { agent_id: 'test_bot', capabilities: ['python'] });
    const { agents } = await call('find_capable_agents', { requirements: ['python'] });
    assert.ok(agents.some(agent => agent.agent_id === 'test_bot'));
    assert.equal((await call('get_task_status', { task_id })).status, 'pending');
    const { selected_agent } = await call('route_task', { task_id });
    assert.equal(selected_agent, 'test_bot');
    await call('assign_task', { task_id, agent_id: selected_agent });
    await call('start_task', { task_id });
    await call('complete_task', { task_id, result: 'Done' });
    assert.equal((await call('get_task_status', { task_id })).status, 'completed');
    assert.equal((await call('get_queue_metrics')).completed, 1);
  },

  'pattern 1, a simple task': async call => {
    await call('register_agent', { agent_id: 'analyst', capabilities: ['python', 'data_analysis'] });
    const { task_id } = await call('create_task', {
      content: 'Analyze dataset', task_type: 'analysis', priority: 'high', requirements: ['python', 'data_analysis']
    });
    const { selected_agent: agent_id } = await call('route_task', { task_id });
    await call('assign_task', { task_id, agent_id });
    await call('start_task', { task_id });
    await call('complete_task', { task_id, result: 'Analyzed 1000 records', metrics: { duration_ms: 2500 } });
    const { status, result } = await call('get_task_status', { task_id });
    assert.deepEqual([status, result], ['completed', 'Analyzed 1000 records']);
  },

  'pattern 2, batches': async call => {
    await call('register_agent', { agent_id: 'worker' });
    const tasks = [];
    for (let i = 0; i < 20; i++) {
      tasks.push((await call('create_task', { content: `Process batch ${i}`, task_type: 'processing' })).task_id);
    }
    const pending = await call('poll_tasks', { status: 'pending', limit: 10 });
    assert.deepEqual(pending.tasks.map(task => task.id), tasks.slice(0, 10));
    for (const { id: task_id } of pending.tasks) {
      const { selected_agent } = await call('route_task', { task_id });
      if (selected_agent) await call('assign_task', { task_id, agent_id: selected_agent });
    }
    const { assigned, pending: left } = await call('get_queue_metrics');
    assert.deepEqual([assigned, left], [10, 10]);
  },

  'pattern 3, specialists': async call => {
    await call('register_agent', { agent_id: 'python_expert', capabilities: ['python', 'analysis'] });
    await call('register_agent', { agent_id: 'ml_expert', capabilities: ['machine_learning', 'python'] });
    const python = await call('create_task', { content: 'Write Python function', requirements: ['python'] });
    const ml = await call('create_task', { content: 'Train ML model', requirements: ['machine_learning'] });
    const chosen = async ({ task_id }) => (await call('route_task', { task_id })).selected_agent;
    assert.ok(['python_expert', 'ml_expert'].includes(await chosen(python)));
    assert.equal(await chosen(ml), 'ml_expert');
    const { total_agents, skill_distribution } = await call('get_agent_statistics');
    assert.equal(total_agents, 2);
    assert.deepEqual(skill_distribution, { python: 2, analysis: 1, machine_learning: 1 });
  },

  'pattern 4, errors and retries': async call => {
    await call('register_agent', { agent_id: 'worker' });
    const attempt = async report => {
      const { task_id } = await call('create_task', { content: 'work' });
      const { selected_agent: agent_id } = await call('route_task', { task_id });
      await call('assign_task', { task_id, agent_id });
      await call('start_task', { task_id });
      await report(task_id);
      return [task_id, (await call('get_task_status', { task_id })).status];
    };
    const [, soft] = await attempt(task_id => call('fail_task', { task_id, error: 'busy', should_retry: true }));
    const [id, hard] = await attempt(task_id => call('fail_task', { task_id, error: 'never', should_retry: false }));
    assert.deepEqual([soft, hard], ['pending', 'failed']);
    assert.equal((await call('get_queue_metrics')).failed, 1);
    const { tasks } = await call('query_tasks', { filters: { status: 'failed' } });
    assert.deepEqual(tasks.map(task => [task.id, task.error]), [[id, 'never']]);
  }
};

for (const era of Object.keys(eras)) {
  describe(`${era} client of the orchestration service`, { timeout: 60_000 }, () => {
    for (const [title, run] of Object.entries(patterns)) {
      it(title, async () => {
        const gateway = await startOrchestration();
        const client = await eras[era].http(gateway.url);
        try {
          await run(toolsOf(client));
        } finally {
          await client.close();
          await gateway.stop();
        }
      });
    }
  });

  describe(`Python client, ${era}`, { timeout: 120_000 }, () => {
    let gateway;
    before(async () => { gateway = await startOrchestration(); });
    after(() => gateway?.stop());

    it('the code of the best practices runs as it is written', async () => {
      const { stdout } = await promisify(execFile)(python, [path.join(here, 'best_practices.py'), gateway.url, modes[era]], {
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }
      });
      const pieces = stdout.trim().split('\n').map(line => JSON.parse(line));
      assert.deepEqual(pieces.filter(piece => piece.error !== null), []);
      assert.equal(pieces.length, 18);
    });
  });
}
