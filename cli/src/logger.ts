import pino, { type Logger } from 'pino'

const pretty = process.stderr.isTTY ? (await import('pino-pretty')).default : null

/**
 * Logs go to standard error, so that standard output is a command's answer alone: lines for people on a terminal, JSON
 * elsewhere. Written at once, because a thread that ends would lose what is buffered.
 */
export function createLogger(level: string, part: string): Logger {
  const stream = pretty
    ? pretty({
        destination: 2,
        sync: true,
        ignore: 'pid,hostname,part',
        messageFormat: '{part}: {msg}',
        translateTime: 'SYS:HH:MM:ss',
      })
    : pino.destination({ fd: 2, sync: true })
  return pino({ level, base: { part } }, stream)
}
