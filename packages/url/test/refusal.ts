import { UrlError } from '@imgproxy-cache/url';

/** The error with which an action refuses; any other error, or none, fails the test. */
export function refusalOf(action: () => unknown): UrlError {
  try {
    action();
  } catch (error) {
    if (error instanceof UrlError) return error;
    throw error;
  }
  throw new Error('Nothing was refused');
}
