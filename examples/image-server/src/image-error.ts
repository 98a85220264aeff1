import { HttpError } from '@imgproxy-cache/http';

/** Answers as imgproxy gives them, each with the reason for the log. */
export const imageError = {
  unreachable: (reason: string): HttpError => new HttpError(404, 'Source is unreachable', reason),
  broken: (reason: string): HttpError => new HttpError(422, 'Invalid source image', reason),
  unsupportedOptions: (where: string): HttpError =>
    new HttpError(422, `A processing option is not supported here ${where}`),
  unsupported: (reason: string): HttpError => new HttpError(422, 'Invalid URL', reason),
};
