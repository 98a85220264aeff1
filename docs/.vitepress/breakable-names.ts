import type { MarkdownRenderer } from 'vitepress';

// After an underscore, after a slash or a parenthesis that belongs to no tag, and before a dot.
const BREAKS =
  /(?<=[A-Za-z0-9]_)(?=[A-Za-z0-9])|(?<=[^<][/(])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9;)])(?=\.[A-Za-z])/g;

/** Lets long names such as those of variables, and addresses, break between their parts, so that tables fit on a page. */
export function breakableNames(markdown: MarkdownRenderer): void {
  const render = markdown.renderer.rules.code_inline;
  if (render === undefined) return;
  markdown.renderer.rules.code_inline = (...given) => render(...given).replaceAll(BREAKS, '<wbr>');
}
