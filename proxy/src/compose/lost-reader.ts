/** Whoever read what is printed is gone: the pipe has no reader (`| head`), or the terminal was closed. */
export const isReaderGone = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'EIO'
