const DAYS = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAYS = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)';

// RFC 9110, section 5.6.7: recipients accept all three formats.
const FORMATS = [
  new RegExp(`^${DAYS}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAYS}, (?<day>\\d\\d)-${MONTH}-(?<shortYear>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAYS} ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`),
];
const LONGEST = 'Wednesday, 09-Nov-94 08:49:37 GMT'.length;

/**
 * Reads an HTTP-date in any of the three formats of RFC 9110, section 5.6.7.
 *
 * @param now in milliseconds since the Unix epoch: decides the century of a year with two digits
 * @returns milliseconds since the Unix epoch; `undefined` if it is no valid date
 */
export function parseHttpDate(text: string, now: number = Date.now()): number | undefined {
  if (text.length > LONGEST) return undefined;
  for (const format of FORMATS) {
    const parts = format.exec(text)?.groups;
    if (parts !== undefined) return timeOf(parts, now);
  }
  return undefined;
}

function timeOf(parts: Readonly<Record<string, string | undefined>>, now: number): number | undefined {
  const { day, month = '', year, shortYear, hour, minute, second } = parts;
  const fullYear = year === undefined ? expandYear(Number(shortYear), now) : Number(year);
  const midnight = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  midnight.setUTCFullYear(fullYear, MONTHS.indexOf(month), Number(day));
  // A day that the month does not have becomes one of another month.
  if (midnight.getUTCDate() !== Number(day)) return undefined;
  return midnight.getTime() + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
}

/** A year that appears to be more than 50 years in the future is the latest past one with the same last digits. */
function expandYear(shortYear: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const inThisCentury = thisYear - (thisYear % 100) + shortYear;
  return inThisCentury > thisYear + 50 ? inThisCentury - 100 : inThisCentury;
}
