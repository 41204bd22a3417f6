// Our validator and ajv, asked the same: generated schemas and values, of both drafts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import { Random, document, fitting, value } from './generate.mjs';
import { ask } from './verdicts.mjs';

const SEED = Number(process.env.SCHEMA_SEED ?? 20261122);
const SCHEMAS = Number(process.env.SCHEMA_COUNT ?? 2000);
const VALUES = 8;

// multipleOf: ajv divides doubles, ours is exact; so ajv is told to round.
const options = { strict: false, validateFormats: false, validateSchema: false, multipleOfPrecision: 9, logger: false, inlineRefs: false };

// ajv's code for unevaluatedProperties sometimes writes to what is not there: no verdict then.
function verdict(judge, value) {
  try {
    return judge(value) ? '1' : '0';
  } catch {
    return '!';
  }
}

for (const draft of [7, 2020]) {
  test(`draft ${draft}: ${SCHEMAS} schemas, ${VALUES} values each, judged as ajv judges them`, () => {
    const random = new Random(SEED + draft);
    const groups = [];
    for (let i = 0; i < SCHEMAS; i++) {
      const schema = document(random, draft);
      const values = Array.from({ length: VALUES }, (_, j) => (j % 2 === 0 ? fitting(random, schema) : value(random)));
      groups.push({ schema, values });
    }
    const answers = ask(groups);
    const different = [];
    let fit = 0;
    let crashed = 0;
    groups.forEach(({ schema, values }, i) => {
      const ajv = draft === 7 ? new Ajv(options) : new Ajv2020(options);
      const judge = ajv.compile(schema);
      const theirs = values.map((v) => verdict(judge, v)).join('');
      fit += theirs.split('1').length - 1;
      crashed += theirs.split('!').length - 1;
      assert.deepEqual(answers[i].notes, [], JSON.stringify(schema));
      for (let j = 0; j < VALUES; j++) {
        if (answers[i].verdicts[j] === theirs[j] || theirs[j] === '!') continue;
        different.push(`ajv ${theirs[j]}, ours ${answers[i].verdicts[j]}: ${JSON.stringify(values[j])} against ${JSON.stringify(schema)}`);
      }
    });
    assert.equal(different.length, 0, `${different.length} of ${SCHEMAS * VALUES} differ:\n${different.slice(0, 5).join('\n')}`);
    assert.ok(crashed < (SCHEMAS * VALUES) / 100, `ajv crashed on ${crashed}`);
    const share = fit / (SCHEMAS * VALUES);
    assert.ok(share > 0.15 && share < 0.85, `both kinds must be there, ${share} fit`);
  });
}
