// Says that it runs, then answers every message; one of them ends it.
process.on('message', (message) => {
  if (message === 'leave') process.exit(3);
  process.send({ answer: message });
});
process.send({ arguments: process.argv.slice(2) });
