// The judge is judged: what it must call a failure.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { clientProblems, excuse, problems, readExpected, stale } from './verdict.mjs';

const check = (id, status, more) => ({ id, name: id, status, ...more });
const ids = found => found.map(problem => problem.id);

describe('a scenario through the gateway', () => {
  const direct = [check('a', 'SUCCESS'), check('a', 'SUCCESS'), check('b', 'INFO')];
  it('passes with the same checks', () => assert.deepEqual(problems(direct, direct), []));
  it('passes with a better one', () => assert.deepEqual(problems([direct[0], direct[1], check('b', 'SUCCESS')], direct), []));
  it('fails with a failure', () => assert.deepEqual(ids(problems([...direct, check('c', 'FAILURE')], direct)), ['c']));
  it('fails once a failure, not twice', () => assert.deepEqual(ids(problems([check('a', 'FAILURE'), ...direct.slice(1)], direct)), ['a']));
  it('fails with an absent check', () => assert.deepEqual(ids(problems([direct[0], direct[2]], direct)), ['a']));
  it('fails with a check that no longer succeeds', () => {
    for (const status of ['INFO', 'SKIPPED', 'WARNING']) {
      assert.deepEqual(ids(problems([check('a', status), direct[1], direct[2]], direct)), ['a'], status);
    }
  });
  it('fails with a warning that is not there directly', () => {
    assert.deepEqual(ids(problems([...direct, check('c', 'WARNING')], direct)), ['c']);
  });
});

describe('a scenario on its own', () => {
  it('fails without any check', () => assert.deepEqual(ids(problems([])), ['no-result']));
  it('fails as a client with a warning', () => assert.deepEqual(ids(clientProblems([check('a', 'WARNING')])), ['a']));
});

describe('an expected failure', () => {
  const entries = () => [{ run: 'r', scenario: 's', check: 'a', used: false }];
  it('excuses its check and no other', () => {
    assert.deepEqual(ids(excuse(entries(), 'r', 's', [check('a'), check('b')])), ['b']);
    assert.deepEqual(ids(excuse(entries(), 'r', 'other', [check('a')])), ['a']);
  });
  it('is stale when its run took place and nothing needed it', () => {
    const unused = entries();
    assert.equal(stale(unused, new Map([['r', 1]])).length, 1);
    assert.equal(stale(unused, new Map()).length, 0);
    excuse(unused, 'r', 's', [check('a')]);
    assert.equal(stale(unused, new Map([['r', 1]])).length, 0);
  });
  it('needs a reason', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'expected-'));
    try {
      writeFileSync(path.join(folder, 'good'), '# a comment\nr | s:a | since so it is\n');
      writeFileSync(path.join(folder, 'bad'), 'r | s:a |\n');
      assert.equal(readExpected(path.join(folder, 'good'))[0].check, 'a');
      assert.throws(() => readExpected(path.join(folder, 'bad')), /bad:1/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
