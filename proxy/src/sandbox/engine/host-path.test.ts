import { describe, expect, it } from 'vitest'
import { mapped, ownIdsIn } from './host-path.ts'

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

describe('the container that this process runs in', () => {
  const [own, other] = ['a'.repeat(64), 'b'.repeat(64)]
  const root = '/var/lib/docker/containers'

  it.each([
    ['Docker', `721 707 254:0 ${root}/${own}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw`],
    [
      'Podman',
      `88 70 0:24 /containers/storage/overlay-containers/${own}/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw`,
    ],
  ])('is the one whose files %s mounts here', (_engine, line) => {
    expect(ownIdsIn(`22 1 254:0 / / rw - ext4 /dev/vda rw\n${line}\n`)).toEqual([own])
  })

  it('is none of those that an engine beside it mounts elsewhere', () => {
    const archive = `402 22 254:0 ${root}/${other}/hostname /var/lib/docker/overlay2/c/merged/etc/hostname rw - ext4 /dev/vda rw`
    const shm = `345 22 0:55 / ${root}/${other}/mounts/shm rw,nosuid - tmpfs shm rw,size=65536k`
    const within = `721 707 254:0 ${root}/${own}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw`
    expect(ownIdsIn(`${shm}\n${archive}\n`)).toEqual([])
    expect(ownIdsIn(`${shm}\n${archive}\n${within}\n`)).toEqual([own])
  })
})
