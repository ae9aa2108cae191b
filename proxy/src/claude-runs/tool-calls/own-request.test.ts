import { expect, it } from 'vitest'
import { readOwnRequest, withPlaces } from './own-request.ts'

const GET = { url: 'https://api.example.com/a?b=c', method: 'GET' }

it('reads where it goes, and which secrets have a place in it', () => {
  const headers = { 'X-Both': '{{B_KEY}} {{A_KEY}}', accept: '*/*' }
  expect(readOwnRequest({ ...GET, method: 'PUT', headers, body: '{{B_KEY}}' })).toMatchObject({
    ...{ host: 'api.example.com', method: 'PUT', body: '{{B_KEY}}', secrets: ['A_KEY', 'B_KEY'] },
    headers: [
      ['X-Both', '{{B_KEY}} {{A_KEY}}'],
      ['accept', '*/*'],
    ],
  })
  expect(readOwnRequest(GET)).toMatchObject({ headers: [], body: null, secrets: [] })
  expect(readOwnRequest({ ...GET, url: 'https://api.example.com:8443' })).toMatchObject({
    host: 'api.example.com:8443',
  })
  // Templates of others stay what they are.
  expect(readOwnRequest({ ...GET, body: '{ {{ }' })).toMatchObject({ secrets: [] })
})

it.each([
  [{ ...GET, url: 'http://api.example.com/' }, 'https alone'],
  [{ ...GET, url: 'https://169.254.169.254/' }, 'public name'],
  [{ ...GET, url: 'https://localhost/' }, 'public name'],
  [{ ...GET, url: 'https://u:p@api.example.com/' }, 'user or password'],
  [{ ...GET, url: 'https://api.example.com/?key={{A_KEY}}' }, 'in its address'],
  [{ ...GET, url: 'https://api.example.com/%7B%7bA_KEY}}' }, 'in its address'],
  [{ ...GET, url: ['https://api.example.com/'] }, 'whole address'],
  [{ ...GET, url: 'https://аpi.example.com/' }, 'as it is sent: https://xn--'],
  [{ ...GET, url: 'https://api.example.com:443/' }, 'as it is sent: https://api.example.com/'],
  [{ ...GET, method: 'CONNECT' }, 'a method of'],
  [{ ...GET, method: 'get' }, 'a method of'],
  [{ url: GET.url }, 'a method of'],
  [{ ...GET, body: { a: 1 } }, 'a text as its body'],
  [{ ...GET, headers: [['a', 'b']] }, 'names and values'],
  [{ ...GET, headers: { Host: 'evil.example.com' } }, 'cannot have the header "Host"'],
  [{ ...GET, headers: { 'content-length': '0' } }, 'cannot have the header'],
  [{ ...GET, headers: { 'a b': 'c' } }, 'cannot have the header'],
  [{ ...GET, headers: { A: '1', a: '2' } }, 'cannot have the header'],
  [{ ...GET, headers: { a: 'b\r\nc: d' } }, 'no header can have'],
  [{ ...GET, headers: { a: 1 } }, 'no header can have'],
  [
    { ...GET, headers: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`h${at}`, 'x'])) },
    'more than 32',
  ],
  [{ ...GET, body: '{{}}' }, 'names ""'],
  [{ ...GET, body: '{{ A_KEY }}' }, 'names " A_KEY "'],
  [{ ...GET, body: '{{PATH}}' }, 'names "PATH"'],
  [{ ...GET, insecure: true }, 'takes no "insecure"'],
])('refuses %j', (input, says) => {
  expect(readOwnRequest(input)).toEqual({ problem: expect.stringContaining(says) })
})

it('puts what stands for a secret into each of its places', () => {
  expect(withPlaces('a {{A_KEY}}{{B_KEY}} {{A_KEY}}', (name) => `<${name}>`)).toBe('a <A_KEY><B_KEY> <A_KEY>')
  expect(withPlaces('{{A_KEY}}', () => '$&{{A_KEY}}')).toBe('$&{{A_KEY}}')
})

it.each([
  '/safe/../drop',
  '/safe/%2e%2e/drop',
  '/safe\\..\\drop',
  '/sa\tfe',
  '/safe\n',
  '/a\u202eb',
  '/a#b',
  '/a b',
])('refuses the address %j, of which something else would be sent than a person reads', (path) => {
  expect(readOwnRequest({ ...GET, url: `https://api.example.com${path}` })).toEqual({
    problem: expect.stringContaining('as it is sent: https://api.example.com/'),
  })
})
