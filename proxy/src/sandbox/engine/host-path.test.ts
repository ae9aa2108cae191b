import { describe, expect, it } from 'vitest'
import { mapped } from './host-path.ts'

describe('a path of the daemon as the engine knows it', () => {
  const mounts = [
    { Type: 'volume', Source: '/var/lib/docker/volumes/p_data/_data', Destination: '/data' },
    { Type: 'volume', Source: '/var/lib/docker/volumes/p_sockets/_data', Destination: '/run/oauth3-gateway' },
    { Type: 'bind', Source: '/srv/inner', Destination: '/data/inner' },
    { Type: 'tmpfs', Source: '', Destination: '/data/inner/memory' },
  ]

  it.each([
    ['/run/oauth3-gateway/0a1b', '/var/lib/docker/volumes/p_sockets/_data/0a1b'],
    ['/run/oauth3-gateway', '/var/lib/docker/volumes/p_sockets/_data'],
    ['/data/gateway/0a1b', '/var/lib/docker/volumes/p_data/_data/gateway/0a1b'],
    ['/data/inner/x', '/srv/inner/x'],
  ])('%s lies at %s', (path, expected) => {
    expect(mapped(path, mounts)).toBe(expected)
  })

  it.each(['/tmp/x', '/database/x', '/run/oauth3-gateway-2/x', '/data/inner/memory/x'])(
    '%s lies in no mount',
    (path) => {
      expect(mapped(path, mounts)).toBeNull()
    },
  )

  it('takes a mount of the root for everything below it', () => {
    expect(mapped('/tmp/x', [{ Type: 'bind', Source: '/srv/root', Destination: '/' }])).toBe(
      '/srv/root/tmp/x',
    )
  })
})
