// What an agent does with three real servers. Each check gets { client, prefix, folder }.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';

const has = (names, ...wanted) => wanted.forEach(name => assert.ok(names.includes(name), `${name} in ${names}`));
const namesOf = async client => (await client.tools()).map(tool => tool.name);

const everything = {
  'lists its tools': async ({ client, prefix }) => {
    has(await namesOf(client), `${prefix}echo`, `${prefix}get-sum`, `${prefix}trigger-long-running-operation`);
  },
  'echoes and adds': async ({ client, prefix }) => {
    assert.equal(await client.text(`${prefix}echo`, { message: 'grüß dich' }), 'Echo: grüß dich');
    assert.match(await client.text(`${prefix}get-sum`, { a: 2, b: 40 }), /\b42\b/);
  },
  'returns an image': async ({ client, prefix }) => {
    const { content } = await client.call(`${prefix}get-tiny-image`);
    const image = content.find(block => block.type === 'image');
    assert.equal(image.mimeType, 'image/png');
    assert.equal(Buffer.from(image.data, 'base64').subarray(1, 4).toString(), 'PNG');
  },
  'returns structured content': async ({ client, prefix }) => {
    const { structuredContent } = await client.call(`${prefix}get-structured-content`, { location: 'New York' });
    assert.equal(typeof structuredContent.temperature, 'number');
  },
  'links to resources': async ({ client, prefix }) => {
    const { content } = await client.call(`${prefix}get-resource-links`, { count: 2 });
    const links = content.filter(block => block.type === 'resource_link');
    assert.equal(links.length, 2);
    assert.equal((await client.read(links[0].uri)).contents.length, 1, 'a link can be followed');
  },
  'refuses bad arguments readably': async ({ client, prefix }) => {
    const refused = await client.call(`${prefix}get-sum`, { a: 'two' }).catch(error => error);
    assert.ok(refused.isError === true || refused.code === -32602, JSON.stringify(refused));
  },
  'reports progress': async ({ client, prefix }) => {
    const heard = [];
    await client.call(`${prefix}trigger-long-running-operation`, { duration: 0.6, steps: 3 }, { onprogress: p => heard.push(p.progress) });
    // it sends the last one together with the result, and then the SDK's client may drop it
    assert.deepEqual(heard.slice(0, 2), [1, 2]);
  },
  'has prompts': async ({ client, prefix }) => {
    has((await client.prompts()).map(prompt => prompt.name), `${prefix}simple-prompt`, `${prefix}args-prompt`);
    assert.equal((await client.prompt(`${prefix}simple-prompt`, {})).messages.length, 1);
    const { messages } = await client.prompt(`${prefix}args-prompt`, { city: 'Bern' });
    assert.match(messages[0].content.text, /Bern/);
  },
  'completes with context': async ({ client, prefix }) => {
    const ref = { type: 'ref/prompt', name: `${prefix}completable-prompt` };
    assert.deepEqual((await client.complete(ref, 'department', 'S')).completion.values, ['Sales', 'Support']);
    assert.deepEqual((await client.complete(ref, 'name', 'A', { department: 'Engineering' })).completion.values, ['Alice']);
  },
  'has resources': async ({ client }) => {
    const resource = (await client.resources()).find(({ uri }) => uri.includes('demo://resource/static/document/'));
    assert.ok(resource, 'a static document is listed');
    const { contents } = await client.read(resource.uri);
    assert.ok(contents[0].text.length > 0);
  },
  'has resource templates': async ({ client }) => {
    const template = (await client.templates()).find(({ uriTemplate }) => uriTemplate.includes('demo://resource/dynamic/text/'));
    const { contents } = await client.read(template.uriTemplate.replace('{resourceId}', '7'));
    assert.match(contents[0].text, /^Resource 7: /);
  }
};

const filesystem = {
  'lists its tools': async ({ client, prefix }) => {
    has(await namesOf(client), `${prefix}read_text_file`, `${prefix}write_file`, `${prefix}list_directory`);
  },
  'writes, lists and reads a file': async ({ client, prefix, folder }) => {
    const name = `${randomUUID()}.txt`;
    const file = path.join(folder, name);
    await client.call(`${prefix}write_file`, { path: file, content: 'line 1\nline 2 é\n' });
    assert.match(await client.text(`${prefix}list_directory`, { path: folder }), new RegExp(name));
    assert.equal(await client.text(`${prefix}read_text_file`, { path: file }), 'line 1\nline 2 é\n');
  },
  'carries a megabyte both ways': async ({ client, prefix, folder }) => {
    const file = path.join(folder, `${randomUUID()}.txt`);
    const content = 'interop '.repeat(131_072);
    await client.call(`${prefix}write_file`, { path: file, content });
    assert.equal(await client.text(`${prefix}read_text_file`, { path: file }), content);
  },
  'keeps out of other folders': async ({ client, prefix }) => {
    const result = await client.call(`${prefix}read_text_file`, { path: '/etc/passwd' });
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /denied/i);
  }
};

const memory = {
  'lists its tools': async ({ client, prefix }) => {
    has(await namesOf(client), `${prefix}create_entities`, `${prefix}read_graph`, `${prefix}search_nodes`);
  },
  'remembers and forgets': async ({ client, prefix }) => {
    const name = `entity ${randomUUID()}`;
    await client.call(`${prefix}create_entities`, { entities: [{ name, entityType: 'test', observations: ['seen once'] }] });
    assert.match(await client.text(`${prefix}search_nodes`, { query: name }), /seen once/);
    await client.call(`${prefix}delete_entities`, { entityNames: [name] });
    assert.ok(!(await client.text(`${prefix}read_graph`)).includes(name));
  }
};

export const realChecks = { everything, filesystem, memory };
