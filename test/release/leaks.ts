// Put together here, so that no scanner takes this file for a leak. None of them opens anything.

export const PRIVATE_KEY = [
  ['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' '),
  ...Array.from({ length: 12 }, (_, n) => String.fromCharCode(65 + n).repeat(64)),
  ['-----END RSA', 'PRIVATE KEY-----', ''].join(' '),
].join('\n');

export const AWS_KEY = ['AK', 'IA', 'QYLPMN5HHHFPZAM2'].join('');
