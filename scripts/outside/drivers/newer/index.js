export default { name: 'newer', contract: 2, config: {}, capabilities: { shared: false }, create() {} };
