// The two official clients behind one face, so that a check is written once and run in both eras.
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';

const info = { name: 'interop', version: '1.0.0' };

// All pages of a listing. The modern client keeps lists for as long as their ttlMs says; a test wants the truth.
async function pages(list, key) {
  const items = [];
  let cursor;
  do {
    const page = await list(cursor === undefined ? undefined : { cursor }, { cacheMode: 'bypass' });
    items.push(...page[key]);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}

class Face {
  constructor(era, client) {
    this.era = era;
    this.client = client;
  }
  tools() { return pages((...a) => this.client.listTools(...a), 'tools'); }
  prompts() { return pages((...a) => this.client.listPrompts(...a), 'prompts'); }
  resources() { return pages((...a) => this.client.listResources(...a), 'resources'); }
  templates() { return pages((...a) => this.client.listResourceTemplates(...a), 'resourceTemplates'); }
  prompt(name, args) { return this.client.getPrompt({ name, arguments: args }); }
  read(uri) { return this.client.readResource({ uri }); }
  complete(ref, name, value, context) {
    return this.client.complete({ ref, argument: { name, value }, ...(context && { context: { arguments: context } }) });
  }
  async text(name, args, options) {
    const result = await this.call(name, args, options);
    return result.content.map(block => block.text).join('\n');
  }
  async json(name, args, options) { return JSON.parse(await this.text(name, args, options)); }
  close() { return this.client.close(); }
}

class Legacy extends Face {
  call(name, args = {}, options) { return this.client.callTool({ name, arguments: args }, CallToolResultSchema, options); }
  ping() { return this.client.ping(); }
  async onToolsChanged(heard) {
    this.client.setNotificationHandler(ToolListChangedNotificationSchema, heard);
  }
}

class Modern extends Face {
  call(name, args = {}, options) { return this.client.callTool({ name, arguments: args }, options); }
  async onToolsChanged(heard) {
    this.client.setNotificationHandler('notifications/tools/list_changed', heard);
    await this.client.listen({ toolsListChanged: true });
  }
}

async function legacy(transport) {
  const client = new LegacyClient(info, { capabilities: {} });
  await client.connect(transport);
  return new Legacy('legacy', client);
}

async function modern(transport) {
  const client = new ModernClient(info, { capabilities: {}, versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(transport);
  return new Modern('modern', client);
}

export const eras = {
  legacy: {
    http: url => legacy(new LegacyHttp(new URL(url))),
    stdio: params => legacy(new LegacyStdio({ stderr: 'ignore', ...params }))
  },
  modern: {
    http: url => modern(new ModernHttp(new URL(url))),
    stdio: params => modern(new ModernStdio({ stderr: 'ignore', ...params }))
  }
};
