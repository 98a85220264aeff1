import { errnoOf } from './fs-errors.js';

/** Whether an error says that there is nothing at a path: no file can be where the path is too long for one. */
export function isAbsence(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG';
}

/** What a step comes back with; `undefined` where its file or folder is not there, as others delete too. */
export async function unlessAbsent<Value>(step: Promise<Value>): Promise<Value | undefined> {
  try {
    return await step;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
