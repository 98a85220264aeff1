import type { ServerResponse } from 'node:http';
import { type HttpService, startService } from './http-service.js';
import type { S3Server, Session } from './s3-server.js';

/** What a scripted STS does with a request. */
export type StsReply =
  | { readonly status: number; readonly code: string }
  /** Never answers. */
  | 'hang'
  /** Gives credentials, by default for an hour. */
  | { readonly lifeSeconds: number };

export interface StsService extends HttpService {
  /** The parameters of each call. */
  readonly calls: URLSearchParams[];
  /** The credentials that were given, the newest last. */
  readonly sessions: Session[];
  reply: (call: URLSearchParams) => StsReply;
}

/** An STS whose credentials the S3 server lets in. */
export async function startSts(s3: S3Server): Promise<StsService> {
  const calls: URLSearchParams[] = [];
  const sessions: Session[] = [];
  const answer = ({ body }: { readonly body: string }, response: ServerResponse): void => {
    const call = new URLSearchParams(body);
    calls.push(call);
    const reply = sts.reply(call);
    if (reply === 'hang') return;
    if ('code' in reply) {
      refuse(response, reply.status, reply.code);
      return;
    }
    const number = sessions.length + 1;
    const session = {
      accessKey: `ASIASESSION${number}`,
      secret: `secret-${number}`,
      token: `token-${number}`,
    };
    sessions.push(session);
    s3.admit(session);
    grant(response, call.get('Action') ?? '', session, reply.lifeSeconds);
  };
  const service = await startService(answer);
  const sts: StsService = { ...service, calls, sessions, reply: () => ({ lifeSeconds: 3600 }) };
  return sts;
}

function grant(response: ServerResponse, action: string, session: Session, lifeSeconds: number): void {
  const expiration = new Date(Date.now() + lifeSeconds * 1000).toISOString();
  const credentials = `<Credentials><AccessKeyId>${session.accessKey}</AccessKeyId><SecretAccessKey>${session.secret}</SecretAccessKey><SessionToken>${session.token}</SessionToken><Expiration>${expiration}</Expiration></Credentials>`;
  response.writeHead(200, { 'content-type': 'text/xml' });
  response.end(
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${credentials}</${action}Result></${action}Response>`,
  );
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'text/xml' });
  response.end(
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
  );
}
