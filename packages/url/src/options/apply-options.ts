import { type ByteString, toReadableText } from '../byte-string.js';
import { UrlError } from '../url-error.js';
import { assertAtMost, canonicalArgument } from './effective-options.js';
import {
  type MetaOption,
  type OptionContext,
  PRO_OPTIONS,
  PROCESSING_OPTIONS,
  type ProcessingOption,
  SECURITY_OPTIONS,
  UNSUPPORTED_OPTIONS,
} from './option-table.js';

const OPTION_BY_NAME: ReadonlyMap<string, ProcessingOption> = new Map(
  PROCESSING_OPTIONS.flatMap((option) => option.names.map((name) => [name, option])),
);

/**
 * Applies an option, under any of its names, to the effective options.
 *
 * @throws UrlError with what imgproxy answers, or with the code `ERR_URL_UNSUPPORTED`.
 */
export function applyOption(name: ByteString, args: readonly ByteString[], context: OptionContext): void {
  const option = OPTION_BY_NAME.get(name);
  if (option === undefined) throw refusalOf(name);
  const [canonicalName] = option.names;
  if ('apply' in option) {
    option.apply(canonicalName, args, context);
  } else if ('options' in option) {
    applyMetaOption(option, args, context);
  } else {
    assertAtMost(1, canonicalName, args);
    const argument = args[0] ?? '';
    if (argument === '' && option.emptyDeletes) context.effective.delete(canonicalName);
    else context.effective.set(canonicalName, canonicalArgument(canonicalName, option.value, argument));
  }
}

function applyMetaOption(
  { names, options, lastTakes }: MetaOption,
  args: readonly ByteString[],
  context: OptionContext,
): void {
  const last = options.length - 1;
  assertAtMost(last + lastTakes, names[0], args);
  for (const [place, option] of options.entries()) {
    if ((args[place] ?? '') === '') continue;
    applyOption(option, place === last ? args.slice(place) : args.slice(place, place + 1), context);
  }
}

function refusalOf(name: ByteString): UrlError {
  if (SECURITY_OPTIONS.has(name))
    return UrlError.forbiddenOption('Security processing options are not allowed');
  if (UNSUPPORTED_OPTIONS.has(name))
    return UrlError.unsupported(`Processing option ${name} is not supported here`);
  const unknown = `Unknown processing option ${toReadableText(name)}`;
  return PRO_OPTIONS.has(name) ? UrlError.unsupported(unknown) : UrlError.invalid(unknown);
}
