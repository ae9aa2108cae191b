// Joins loopback ports to sockets of the endpoint's directory, byte by byte. At all of them the daemon listens and the machine dials.
import { connect, createServer } from 'node:net'

/** Each carries what comes until its half ends; when one breaks off, so does the other. */
export function join(one, other) {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ])
    from
      .on('error', () => to.destroy())
      .on('close', () => {
        // A half that ended in good order leaves the other its time.
        if (!from.readableEnded || !from.writableFinished) to.destroy()
      })
      .pipe(to)
}

/** Whoever comes to the port is joined to the socket, where there is one by then. */
export function bridge(port, path) {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    near.setNoDelay(true)
    join(near, connect({ path, allowHalfOpen: true }))
  })
  return new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server)),
  )
}
