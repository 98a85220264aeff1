import { expect, test } from 'vitest';
import { explainUrl } from '../playground/explain-url.js';

const PRESETS = { default: 'q:75/el:1', thumbnail: 'rs:fill:300:200/pr:sharp', sharp: 'sh:0.7' };

test('each effective option says which preset set it', () => {
  const { source, pipelines, parts } = explainUrl(
    'https://img.example/unsafe/pr:thumbnail/w:100/plain/https://example.com/cat.jpg@webp',
    { presets: PRESETS },
  );
  expect(source).toBe('https://example.com/cat.jpg');
  expect(pipelines[0]).toContainEqual({ name: 'quality', value: '75', preset: 'default' });
  expect(pipelines[0]).toContainEqual({ name: 'height', value: '200', preset: 'thumbnail' });
  expect(pipelines[0]).toContainEqual({ name: 'width', value: '100' });
  expect(pipelines[0]).toContainEqual({ name: 'format', value: 'webp' });
  expect(parts.map(({ kind }) => kind)).toEqual(['signature', 'option', 'option', 'source']);
});

test('several presets in one option are told apart', () => {
  const { parts } = explainUrl('/unsafe/pr:thumbnail:sharp/plain/x', { presets: PRESETS });
  expect(parts.map(({ text }) => text)).toEqual(['unsafe', 'pr:thumbnail', 'pr:thumbnail:sharp', 'plain/x']);
});

test('presets alone are read as names', () => {
  const { pipelines } = explainUrl('/unsafe/thumbnail/plain/x', { presets: PRESETS, onlyPresets: true });
  expect(pipelines[0]).toContainEqual({ name: 'height', value: '200', preset: 'thumbnail' });
  expect(pipelines[0]).toContainEqual({ name: 'quality', value: '75', preset: 'default' });
});

test.each([
  ['/unsafe/w:100/h:tall/plain/x', 'option', 'h:tall'],
  ['/unsafe/w:100/nonsense:1/plain/x', 'option', 'nonsense:1'],
  ['/unsafe/pr:missing/plain/x', 'option', 'pr:missing'],
  ['/unsafe/w:100/plain/x@a@b', 'source', 'plain/x@a@b'],
  ['/unsafe/w:100/!!!', 'source', '!!!'],
])('the error of %s is shown at its place', (url, kind, text) => {
  const { parts, source } = explainUrl(url, { presets: PRESETS });
  expect(parts.at(-1)).toMatchObject({ kind, text, error: expect.any(String) });
  expect(source).toBeUndefined();
});

test.each(['', '/', '/unsafe', '/%zz/w:1/plain/x', 'no path'])('"%s" is refused as a whole', (url) => {
  expect(explainUrl(url, {}).error).toEqual(expect.any(String));
});

test('pipelines of imgproxy Pro have options of their own', () => {
  const { pipelines } = explainUrl('/unsafe/w:100/-/h:50/plain/x', { pro: true });
  expect(pipelines).toEqual([[{ name: 'width', value: '100' }], [{ name: 'height', value: '50' }]]);
});

test('presets that are wrong are an error', () => {
  expect(explainUrl('/unsafe/plain/x', { presets: { wrong: 'nonsense' } }).error).toContain('nonsense');
});
