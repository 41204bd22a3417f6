// The tools of the 2026-07-28 scenarios: input_required, capabilities, changes of lists.
import * as z from 'zod/v4';
import { CLIENT_CAPABILITIES_META_KEY, acceptedContent, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { ask, form, sample, states, string, text } from './words.mjs';

const prefix = 'test_input_required_result_';
const askName = () => form('What is your name?', { name: string });
const accepted = (ctx, key, schema) => acceptedContent(ctx.mcpReq.inputResponses, key, schema);
const answer = (ctx, key) => inputResponse(ctx.mcpReq.inputResponses, key);

function registerSingleQuestions(plain) {
  plain(`${prefix}elicitation`, async ctx => {
    const content = accepted(ctx, 'user_name', z.object({ name: z.string() }));
    return content ? text(`Hello, ${content.name}!`) : ask({ user_name: askName() });
  });
  plain(`${prefix}sampling`, async ctx => {
    const said = answer(ctx, 'capital_question');
    if (said.kind !== 'sampling') return ask({ capital_question: sample('What is the capital of France?', 100) });
    return text(JSON.stringify(said.result.content));
  });
  plain(`${prefix}list_roots`, async ctx => {
    const said = answer(ctx, 'client_roots');
    return said.kind === 'roots' ? text(JSON.stringify(said.roots)) : ask({ client_roots: inputRequired.listRoots() });
  });
}

function registerStates(plain) {
  for (const name of ['request_state', 'tampered_state']) {
    plain(prefix + name, async ctx => {
      const returned = ctx.mcpReq.requestState() !== undefined;
      if (returned && accepted(ctx, 'confirm')) return text('state-ok');
      return ask({ confirm: form('Please confirm', { ok: { type: 'boolean' } }) }, await states.mint({ name }));
    });
  }
  plain(`${prefix}multiple_inputs`, async ctx => {
    const keys = ['user_name', 'greeting', 'client_roots'];
    if (keys.every(key => answer(ctx, key).kind !== 'missing')) return text('all there');
    const questions = {
      user_name: askName(),
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots()
    };
    return ask(questions, await states.mint({ inputs: 3 }));
  });
  plain(`${prefix}multi_round`, async ctx => {
    const state = ctx.mcpReq.requestState();
    const name = accepted(ctx, 'step1')?.name;
    const color = accepted(ctx, 'step2')?.color;
    if (state?.round === 2 && color) return text(`${state.name} likes ${color}`);
    if (state?.round === 1 && name) {
      const question = form('Step 2: What is your favorite color?', { color: string });
      return ask({ step2: question }, await states.mint({ round: 2, name }));
    }
    return ask({ step1: form('Step 1: What is your name?', { name: string }) }, await states.mint({ round: 1 }));
  });
}

// A modern client declares with each request, a legacy one with its session.
function registerCapabilities(plain, ofSession) {
  plain(`${prefix}capabilities`, async ctx => {
    const declared = ctx.mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? ofSession() ?? {};
    if (ctx.mcpReq.inputResponses) return text('ok');
    const questions = {
      ...(declared.elicitation && { name: askName() }),
      ...(declared.sampling && { sample: sample('Sample', 50) })
    };
    return Object.keys(questions).length ? ask(questions) : text('no capability');
  });
  plain('test_missing_capability', async ctx => (ctx.mcpReq.inputResponses?.llm ? text('ok') : ask({ llm: sample('ping', 8) })));
  plain('test_streaming_elicitation', async () => text('nothing but a result'));
  plain('test_logging_tool', async ctx => {
    await ctx.mcpReq.log('info', 'only with logLevel');
    return text('logged');
  });
}

// changes.tools() and changes.prompts() change the list and tell whoever listens.
// ofSession() says what a legacy client declared.
export function registerInputTools({ plain, prompt, ofSession }, changes) {
  registerSingleQuestions(plain);
  registerStates(plain);
  registerCapabilities(plain, ofSession);
  plain('test_trigger_tool_change', async () => {
    changes.tools();
    return text('changed');
  });
  plain('test_trigger_prompt_change', async () => {
    changes.prompts();
    return text('changed');
  });
  prompt(`${prefix}prompt`, async ctx => {
    const content = accepted(ctx, 'user_context');
    if (!content) return ask({ user_context: form('What context should the prompt use?', { context: string }) });
    return { messages: [{ role: 'user', content: { type: 'text', text: `context: ${content.context}` } }] };
  });
}
