/**
 * Says no to everything, and how often.
 * @type {import('fake-s3').ServerScript}
 */
export const script = (server, status) => {
  let refused = 0;
  server.scriptHead = () => {
    refused += 1;
    return { status: Number(status) };
  };
  return { refused: () => refused };
};
