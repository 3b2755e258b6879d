// Checks the texts: both catalogues have the same keys and placeholders, every key is used, every used key
// exists, and no component contains a sentence of its own.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'svelte/compiler';

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
/** Attributes whose value a person sees or hears. */
const SPOKEN = new Set(['title', 'alt', 'placeholder', 'label', 'lead', 'hint', 'action', 'aria-label', 'data-label', 'aria-valuetext', 'aria-description']);
/** Parts of the markup that hold names and code instead of text. */
const OPAQUE = new Set(['Attribute', 'StyleDirective', 'ClassDirective', 'ExpressionTag']);
/** Literals that are the same in every language. */
const UNIVERSAL = new Set(['ABCD-1234']);

const problems = [];
const files = readdirSync(SOURCE, { recursive: true }).map((name) => join(SOURCE, name));
const read = (file) => readFileSync(file, 'utf8');
const id = catalogue('id');
const en = catalogue('en');

checkCatalogues();
const components = files.filter((file) => file.endsWith('.svelte'));
components.forEach(checkComponent);
checkUse();

for (const problem of problems) console.error(problem);
console.log(`catalogues: ${id.size} texts in 2 languages, ${components.length} components, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

/** Reads a language's files as one map; they hold one `'key': 'text',` per line. */
function catalogue(language) {
  const entries = new Map();
  const folder = join(SOURCE, 'lib', 'i18n', language);
  const lines = readdirSync(folder).flatMap((name) => read(join(folder, name)).split('\n'));
  for (const line of lines) {
    const entry = /^ {2}(["'])([a-z_0-9.]+)\1: (["'])(.*)\3,$/.exec(line);
    if (!entry) continue;
    if (entries.has(entry[2])) problems.push(`${language}: ${entry[2]} stands there twice`);
    entries.set(entry[2], entry[4]);
  }
  return entries;
}

function checkCatalogues() {
  if (id.size === 0) problems.push('id: no texts found');
  for (const key of id.keys()) if (!en.has(key)) problems.push(`en: ${key} is missing`);
  for (const key of en.keys()) if (!id.has(key)) problems.push(`id: ${key} is missing`);
  for (const [key, text] of id) {
    if (text.trim() === '' || en.get(key)?.trim() === '') problems.push(`${key} is empty`);
    const [ours, theirs] = [placeholders(text), placeholders(en.get(key) ?? '')];
    if (ours !== theirs) problems.push(`${key}: placeholders differ: ${ours} and ${theirs}`);
  }
}

function placeholders(text) {
  return [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join(' ');
}

/** Reports literal words in the markup of a component: text between tags, and attributes that are read out. */
function checkComponent(file) {
  const name = relative(SOURCE, file);
  const source = read(file);
  walk(parse(source, { modern: true }).fragment, (node) => {
    if (node.type === 'Text' && hasWords(node.data)) report(node.data, node.start);
    if (node.type === 'Attribute' && SPOKEN.has(node.name)) [node.value].flat().forEach(checkSpoken);
  });

  function checkSpoken(part) {
    if (part?.type === 'Text' && hasWords(part.data)) report(part.data, part.start);
    const literal = part?.expression;
    if (literal?.type === 'Literal' && hasWords(String(literal.value))) report(String(literal.value), literal.start);
  }

  function report(text, offset) {
    const line = source.slice(0, offset).split('\n').length;
    problems.push(`${name}:${line}: untranslated text ${JSON.stringify(text.trim())}`);
  }
}

function hasWords(text) {
  return !UNIVERSAL.has(text.trim()) && /\p{L}{2,}/u.test(text);
}

function walk(node, visit) {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) return node.forEach((child) => walk(child, visit));
  if (typeof node.type === 'string') visit(node);
  // The values of attributes are looked at by name; expressions are code, and their texts come out of t().
  if (OPAQUE.has(node.type)) return;
  Object.values(node).forEach((child) => walk(child, visit));
}

/** A key nobody uses is dead; a key nobody wrote is a hole. Template keys count by their beginning. */
function checkUse() {
  const code = files
    .filter((file) => /\.(svelte|ts)$/.test(file) && !/i18n[\\/](id|en)[\\/]/.test(file))
    .map(read)
    .join('\n');
  const literals = new Set([...code.matchAll(/['"]([a-z]+\.[a-z_0-9]+)['"]/g)].map((found) => found[1]));
  const prefixes = [...code.matchAll(/t\(`([a-z]+\.)\$\{/g)].map((found) => found[1]);
  for (const key of id.keys()) {
    if (!literals.has(key) && !prefixes.some((prefix) => key.startsWith(prefix))) problems.push(`${key} is never used`);
  }
  for (const [, key] of code.matchAll(/\bt\(\s*['"]([^'"]+)['"]/g)) if (!id.has(key)) problems.push(`${key} is used but not written`);
}
