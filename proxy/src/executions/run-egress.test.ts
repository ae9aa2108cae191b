import { expect, test } from 'vitest'
import { sampleRawSecret, sampleSecret } from '../../test/support/sample-consent.ts'
import { SecretValue } from '../kernel/index.ts'
import { egressApproval } from './run-egress.ts'

const agent = { id: 'agt_1' }
const values = new Map(['KEY', 'RAW'].map((name) => [name, new SecretValue(`demo-value-of-${name}`)]))

test('the gateway is told of secrets in placeholder mode only, each with its binding', () => {
  const secrets = [
    sampleSecret({ name: 'KEY', hosts: ['a.example'], in: ['header'] }),
    sampleRawSecret({ name: 'RAW', hosts: ['a.example'] }),
  ]
  const { owner, secrets: told } = egressApproval(
    { agent, network: [], secrets },
    values,
    new Map([['KEY', ['a.example']]]),
  )
  expect(owner).toBe('agt_1')
  expect(told).toEqual([
    {
      name: 'KEY',
      value: values.get('KEY'),
      hosts: ['a.example'],
      boundTo: ['a.example'],
      surfaces: ['header'],
    },
  ])
})

test('a secret without a value fails the run rather than sending its placeholder', () => {
  const secrets = [sampleSecret({ name: 'KEY' })]
  expect(() => egressApproval({ agent, network: [], secrets }, new Map(), new Map())).toThrow(
    'no value for KEY',
  )
})
