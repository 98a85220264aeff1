import { DockerfileParser } from 'dockerfile-ast';
import { expect, test } from 'vitest';
import { read } from './files.js';

const dockerfile = DockerfileParser.parse(read('Dockerfile'));

test('every base image has the Node.js of the repository', () => {
  const version = read('../../.node-version').trim();
  const images = dockerfile.getFROMs().map((from) => from.getImage());
  expect(images).toEqual(images.map(() => `node:${version}-bookworm-slim`));
  expect(images).toHaveLength(2);
});

test('the image runs as an ordinary user and answers a health check', () => {
  const last = dockerfile
    .getInstructions()
    .map((each) => `${each.getKeyword()} ${each.getArgumentsContent()}`);
  expect(last).toContain('USER node');
  expect(last.indexOf('USER node')).toBeGreaterThan(last.findLastIndex((line) => /^(?:RUN|COPY)/.test(line)));
  expect(dockerfile.getHEALTHCHECKs()[0]?.getArgumentsContent()).toContain(':8080/health');
});
