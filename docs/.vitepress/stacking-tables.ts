import type { MarkdownRenderer } from 'vitepress';

/** A narrow screen has room for this many columns side by side. */
const SIDE_BY_SIDE = 2;

/**
 * Lets a narrow screen show each row of a table with more columns as a list: head and body of the table have the class
 * `stacking`, and the cells name their columns in `data-label`. The style sheet does the rest.
 */
export function stackingTables(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('stacking-tables', ({ tokens }) => {
    let parts: typeof tokens = [];
    let labels: string[] = [];
    let column = 0;
    tokens.forEach((token, index) => {
      const text = tokens[index + 1]?.content.replaceAll('`', '') ?? '';
      if (token.type === 'table_open') [parts, labels] = [[], []];
      else if (token.type === 'thead_open' || token.type === 'tbody_open') parts.push(token);
      else if (token.type === 'tr_open') column = 0;
      else if (token.type === 'th_open') labels.push(text);
      else if (token.type === 'td_open' && labels.length > SIDE_BY_SIDE) {
        for (const part of parts) part.attrSet('class', 'stacking');
        const label = labels[column++];
        if (label) token.attrSet('data-label', label);
      }
    });
  });
}
