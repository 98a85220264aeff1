import { UrlParser } from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';

const NOW_SECONDS = 1_790_000_000;
const parser = new UrlParser({ now: () => NOW_SECONDS * 1000 + 999 });
const optionsOf = (options: string) => Object.fromEntries(parser.parse(`/s/${options}/plain/x`).options);
const messageOf = (options: string) => refusalOf(() => parser.parse(`/s/${options}/plain/x`)).message;

describe('numbers are read as Go reads them', () => {
  it.each([
    ['w:+80', '80'],
    ['w:080', '80'],
    ['w:-0', '0'],
    ['w:9223372036854775807', '9223372036854775807'],
  ])('%s', (option, width) => {
    expect(optionsOf(option)).toEqual({ width });
  });

  it.each(['', '1_000', '0b1', ' 1', '1e3', '9223372036854775808', '٣'])('an integer is not "%s"', (text) => {
    expect(messageOf(`w:${text}`)).toBe(`Invalid width: ${text} (expected positive number or 0)`);
  });

  it.each([
    ['2.', '2'],
    ['.5', '0.5'],
    ['+1.50', '1.5'],
    ['15e-1', '1.5'],
    ['1_0.2_5', '10.25'],
    ['0x1p-2', '0.25'],
    ['0X1.8P1', '3'],
    ['0x_1.8p+0_1', '3'],
    ['0x.8p0', '0.5'],
    ['0x1.fffffffffffffp1023', '1.7976931348623157e+308'],
    // Half way between two numbers the even one is taken, and a bit further the upper one.
    ['0x1.00000000000008p0', '1'],
    ['0x1.00000000000018p0', '1.0000000000000004'],
    [`0x1.00000000000008${'0'.repeat(300)}1p0`, '1.0000000000000002'],
    [`0x0.${'0'.repeat(300)}1p1204`, '1'],
    ['NaN', 'NaN'],
    ['nAn', 'NaN'],
    ['Inf', 'Infinity'],
    ['+infinity', 'Infinity'],
  ])('dpr:%s', (text, dpr) => {
    expect(optionsOf(`dpr:${text}`)).toEqual({ dpr });
  });

  it.each([
    ...['', '.', '0', '-1', '-inf', '+nan', '1e400', '1e-400', '0x1p1024', '0x1p-99999', '-0x1p0', '0x0p9'],
    ...[
      '0x1',
      '0x1.8',
      '0xp1',
      '0x.p1',
      '1_',
      '_1',
      '1__0',
      '1_.0',
      '1._0',
      '1e_1',
      '0x1_p1',
      '1f',
      '1e',
      '0b1',
      '1 ',
    ],
  ])('a positive number is not "%s"', (text) => {
    expect(messageOf(`dpr:${text}`)).toBe(`Invalid dpr: ${text} (expected positive number)`);
  });

  it.each(['101', '-1', '1.5', ''])('a quality is not "%s"', (text) => {
    expect(messageOf(`q:${text}`)).toBe(`Invalid quality: ${text} (expected number in range 0-100)`);
  });
});

describe('booleans', () => {
  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('%s is true', (text) => {
    expect(optionsOf(`el:${text}`)).toEqual({ enlarge: 'true' });
  });

  it.each(['0', 'f', 'false', 'yes', 'tRUE', '', '2'])('"%s" is false', (text) => {
    expect(optionsOf(`att:${text}`)).toEqual({ return_attachment: 'false' });
  });
});

describe('colours', () => {
  it.each([
    ['bg:abc', 'aabbcc'],
    ['bg:A1b2C3', 'a1b2c3'],
    ['bg:1:020:255', '0114ff'],
  ])('%s', (option, background) => {
    expect(optionsOf(option)).toEqual({ background });
  });

  it('an empty colour takes the background away', () => {
    expect(optionsOf('bg:fff/bg:')).toEqual({});
  });

  it.each([
    ['bg:ffff', 'Invalid background: ffff (expected hex-encoded color)'],
    ['bg:ggg', 'Invalid background: ggg (expected hex-encoded color)'],
    ['bg:256:0:0', 'Invalid background.R: 256 (expected number in range 0-255)'],
    ['bg:0:+1:0', 'Invalid background.G: +1 (expected number in range 0-255)'],
    ['bg:0:0:', 'Invalid background.B:  (expected number in range 0-255)'],
    ['bg:1:2:3:4', 'Invalid background arguments: [1 2 3 4]'],
  ])('%s', (option, message) => {
    expect(messageOf(option)).toBe(message);
  });
});

describe('options that stand for others', () => {
  it('skip empty arguments and leave what was set before', () => {
    expect(optionsOf('w:1/h:2/rs::5')).toEqual({ width: '5', height: '2' });
    expect(optionsOf('s::7:t')).toEqual({ height: '7', enlarge: 'true' });
  });

  it('ignore the arguments of an extend that is empty, as imgproxy does', () => {
    expect(optionsOf('rs:fit:1:2:0::no:3:4')).toEqual(optionsOf('rs:fit:1:2:0'));
  });

  it('give an extend all that follows', () => {
    expect(optionsOf('s:1:2:0:1:no:3')).toEqual(optionsOf('w:1/h:2/el:0/ex:1:no:3'));
    expect(messageOf('rs:fit:1:2:0:0:sm')).toMatch(
      /^Invalid extend.gravity.type: sm \(expected fp, ce, no, /,
    );
  });

  it('refuse more arguments than there are', () => {
    expect(messageOf('rs:fit:1:2:3:4:5:6:7:8')).toBe('Invalid resize arguments: [fit 1 2 3 4 5 6 7 8]');
    expect(messageOf('s:1:2:3:4:5:6:7:8')).toBe('Invalid size arguments: [1 2 3 4 5 6 7 8]');
    expect(messageOf('w:1:2')).toBe('Invalid width arguments: [1 2]');
  });

  it('name the resizing types that are allowed', () => {
    expect(messageOf('rs:Fit:1')).toBe(
      'Invalid resizing_type: Fit (expected fit, fill, fill-down, force, auto)',
    );
  });
});

describe('expires', () => {
  it('passes until its second is over', () => {
    expect(parser.parse(`/s/exp:${NOW_SECONDS}/plain/x`).expires).toBe(NOW_SECONDS);
    expect(messageOf(`exp:${NOW_SECONDS - 1}`)).toBe('Expired URL');
  });

  it.each(['0', '-1'])('%s means never', (seconds) => {
    expect(parser.parse(`/s/exp:${seconds}/plain/x`).expires).toBe(Number(seconds));
  });

  it('refuses what is no timestamp, and a past one even when a later one follows', () => {
    expect(messageOf('exp:1.5')).toBe('Invalid expires: 1.5 (expected unix timestamp)');
    expect(messageOf(`exp:1/exp:${NOW_SECONDS + 9}`)).toBe('Expired URL');
  });
});

describe('text', () => {
  it('reads a file name as it stands, or from base64', () => {
    expect(optionsOf('fn:YS5wbmc')).toEqual({ filename: 'YS5wbmc' });
    expect(optionsOf('fn:YS5wbmc:t')).toEqual({ filename: 'a.png' });
    expect(optionsOf('fn:YQ==:1')).toEqual({ filename: 'a' });
    expect(optionsOf('fn:YQ:no')).toEqual({ filename: 'YQ' });
    expect(optionsOf('fn:')).toEqual({ filename: '' });
    expect(messageOf('fn:a.b:1')).toBe('Invalid filename: a.b (expected URL-safe base64-encoded string)');
    expect(messageOf('fn:a:1:2')).toBe('Invalid filename arguments: [a 1 2]');
  });

  it('keeps text beyond ASCII, and refuses bytes that are no text', () => {
    expect(optionsOf('cb:é')).toEqual({ cachebuster: 'é' });
    const uri = Buffer.concat([Buffer.from('/s/cb:'), Buffer.from([0xff]), Buffer.from('/plain/x')]);
    expect(refusalOf(() => parser.parse(uri)).status).toBe(404);
  });
});

describe('names', () => {
  it('are case-sensitive, and unknown ones are refused as imgproxy does', () => {
    expect(messageOf('W:1')).toBe('Unknown processing option W');
    expect(messageOf(':1')).toBe('Unknown processing option ');
    expect(messageOf('constructor:1')).toBe('Unknown processing option constructor');
  });

  it('are limited to those that are allowed, exactly as written', () => {
    const limited = new UrlParser({ allowedProcessingOptions: ['w', 'size'] });
    expect(limited.parse('/s/w:1/size:2:3/plain/x@png').options).toEqual([
      ['format', 'png'],
      ['height', '3'],
      ['width', '2'],
    ]);
    expect(refusalOf(() => limited.parse('/s/width:1/plain/x')).message).toBe(
      'Forbidden processing option width',
    );
  });
});
