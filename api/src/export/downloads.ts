import type { Readable } from 'node:stream'
import type { ExportQuery, ReadingsExport } from '@pulso/stores'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge } from 'prom-client'
import type { ApiContext } from '../context.ts'
import { isPublic } from '../current/features.ts'
import { createCsvEncoder } from './csv.ts'
import type { Encoder } from './encoder.ts'
import type { ExportFormat } from './formats.ts'
import { createGeojsonEncoder } from './geojson.ts'
import { createJsonlEncoder } from './jsonl.ts'
import { createParquetStream } from './parquet-stream.ts'
import { createSlots } from './slots.ts'
import { createTextStream } from './text-stream.ts'
import { watchDownload } from './watch.ts'

/** When to come back where all places are taken. */
const RETRY_AFTER_SECONDS = 30

export interface Download {
  kind: string
  format: ExportFormat
  fromMs: number
  toMs: number
}

export interface Downloads {
  /** Streams a file as fast as its reader takes it. @throws AppError `exports-busy`, `disk-too-small` (503) */
  send(download: Download, http: { request: FastifyRequest; reply: FastifyReply }): Promise<FastifyReply>
}

/** Open data as files: so many at once, each of limited time, and nothing of it kept when its reader goes. */
export function createDownloads({ options, limits, current }: ApiContext): Downloads {
  const { openData, kinds } = options
  const registers = [options.metrics]
  const refused = new Counter({
    name: 'pulso_exports_refused_total',
    help: 'Downloads of open data refused because too many were under way',
    registers,
  })
  const readings = new Counter({
    name: 'pulso_export_readings_total',
    help: 'Readings sent as open data, by format',
    labelNames: ['format'],
    registers,
  })
  const slots = createSlots({
    all: limits.exports,
    perAddress: limits.exportsPerAddress,
    onRefused: () => refused.inc(),
  })
  new Gauge({
    name: 'pulso_exports_open',
    help: 'Downloads of open data under way',
    registers,
    collect() {
      this.set(slots.taken())
    },
  })

  const toQuery = ({ kind: id, fromMs, toMs }: Download): ExportQuery => {
    const kind = kinds.get(id)
    const metrics = Object.keys(kind?.metrics ?? {}).filter((name) => kind && isPublic(kind, name))
    return { kind: id, fromMs, toMs, metrics }
  }

  const toStream = async (
    taking: ReadingsExport,
    format: ExportFormat,
  ): Promise<{ stream: Readable; bytes?: number }> => {
    const count = (rows: number): void => readings.inc({ format }, rows)
    if (format === 'parquet') {
      const { exportFreeBytes: minFreeBytes } = limits
      return createParquetStream({ taking, folder: openData.folder, minFreeBytes, onRows: count })
    }
    return { stream: createTextStream({ taking, encoder: toEncoder(format, taking), onPage: count }) }
  }

  const toEncoder = (format: Exclude<ExportFormat, 'parquet'>, { columns }: ReadingsExport): Encoder => {
    if (format === 'csv') return createCsvEncoder(columns)
    if (format === 'jsonl') return createJsonlEncoder(columns)
    return createGeojsonEncoder(columns, (id) => {
      const entry = current.get(id)
      return entry && { position: entry.sensor.position, zone: entry.zone }
    })
  }

  return {
    async send(download, { request, reply }) {
      let release: (() => void) | undefined
      let taking: ReadingsExport | undefined
      const giveUp = (): void => {
        release?.()
        void taking?.close()
      }
      // Also while the file is being made, which can take a while.
      reply.raw.once('close', giveUp)
      try {
        release = slots.take(request.ip)
        taking = await openData.openExport(toQuery(download))
        const { stream, bytes } = await toStream(taking, download.format)
        if (bytes !== undefined) void reply.header('content-length', bytes)
        const { exportMs: maxMs, exportStallMs: stallMs } = limits
        const stop = watchDownload(stream, { response: reply.raw, maxMs, stallMs })
        reply.raw.once('close', stop)
        // Gone before there was anything to send: nothing else would close it.
        if (reply.raw.destroyed) {
          stop()
          stream.destroy()
        }
        return await reply.send(stream)
      } catch (error) {
        giveUp()
        // What comes instead is no file.
        void reply.removeHeader('content-disposition').header('retry-after', RETRY_AFTER_SECONDS)
        throw error
      }
    },
  }
}
