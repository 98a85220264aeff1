import type { UrlSettings } from '@imgproxy-cache/url';
import { type ExplainedUrl, explainUrl, type SetOption } from './explain-url.js';

const form = document.querySelector<HTMLFormElement>('#input');
const result = document.querySelector<HTMLElement>('#result');

form?.addEventListener('input', show);
form?.addEventListener('submit', (event) => event.preventDefault());
show();

function show(): void {
  result?.replaceChildren(...sections(explainUrl(textOf('url'), settings())));
}

function settings(): UrlSettings {
  return {
    presets: presetsIn(textOf('presets')),
    onlyPresets: isChecked('only-presets'),
    pro: isChecked('pro'),
    pathPrefix: textOf('path-prefix').trim(),
    baseUrl: textOf('base-url').trim(),
  };
}

function presetsIn(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.trim());
  const definitions = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    definitions.map((line) => {
      const [name = '', ...definition] = line.split('=');
      return [name.trim(), definition.join('=').trim()];
    }),
  );
}

function sections({ parts, source, pipelines, error }: ExplainedUrl): HTMLElement[] {
  const shown: HTMLElement[] = [];
  if (error !== undefined) shown.push(element('p', { className: 'error', role: 'alert' }, error));
  if (parts.length > 0) {
    const rows = parts.map(({ kind, text, sets, error }) => {
      const effect =
        error === undefined
          ? element('td', {}, sets.map(inWords).join(', '))
          : element('td', { className: 'error', role: 'alert' }, error);
      return element('tr', {}, element('td', {}, kind), element('td', {}, element('code', {}, text)), effect);
    });
    shown.push(element('h2', {}, 'Parts'), table(['part', 'text', 'sets'], rows));
  }
  if (source === undefined) return shown;
  shown.push(element('h2', {}, 'Source'), element('p', { id: 'source' }, element('code', {}, source)));
  pipelines.forEach((options, index) => {
    const title = pipelines.length > 1 ? `Effective options, pipeline ${index + 1}` : 'Effective options';
    const rows = options.map(({ name, value, preset }) =>
      element('tr', {}, ...[name, value, preset ?? 'the URL'].map((text) => element('td', {}, text))),
    );
    shown.push(element('h2', {}, title), table(['option', 'value', 'from'], rows));
  });
  return shown;
}

function inWords({ name, value, preset }: SetOption): string {
  return `${name} = ${value}${preset === undefined ? '' : ` (preset ${preset})`}`;
}

function table(headings: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const head = element('tr', {}, ...headings.map((heading) => element('th', { scope: 'col' }, heading)));
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
}

function element(
  tag: string,
  properties: Readonly<Record<string, string>>,
  ...children: readonly (Node | string)[]
): HTMLElement {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function textOf(id: string): string {
  return document.querySelector<HTMLInputElement | HTMLTextAreaElement>(`#${id}`)?.value ?? '';
}

function isChecked(id: string): boolean {
  return document.querySelector<HTMLInputElement>(`#${id}`)?.checked === true;
}
