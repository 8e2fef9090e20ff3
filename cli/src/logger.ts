import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'

/**
 * Logs go to standard error, so that standard output is a command's answer alone: lines for people on a terminal, JSON
 * elsewhere. Written at once, because a thread that ends would lose what is buffered.
 */
export function createLogger(level: string, part: string): Logger {
  const stream = process.stderr.isTTY
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
