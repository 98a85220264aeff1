import type { MarkdownRenderer } from 'vitepress';

/** Lets long names such as those of variables break after an underscore, so that tables fit on a page. */
export function breakableNames(markdown: MarkdownRenderer): void {
  const render = markdown.renderer.rules.code_inline;
  if (render === undefined) return;
  markdown.renderer.rules.code_inline = (...given) =>
    render(...given).replaceAll(/(?<=[A-Za-z0-9]_)(?=[A-Za-z0-9])/g, '<wbr>');
}
