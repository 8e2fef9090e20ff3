import type { KindView } from '@pulso/model'
import type { Map as MapLibre } from 'maplibre-gl'
import { inkOn } from '../../shared/colour.ts'
import { UNKNOWN_STATE, type StateView } from '../../shared/kinds.ts'
import { SYMBOL_HALF_PX, symbolImageId } from './sensor-layers.ts'

const PIXEL_RATIO = 3

/** Gives the map the symbols of a kind's legend, drawn here: no sprite is fetched. */
export function addStateImages(map: MapLibre, kind: KindView): void {
  for (const state of kind.states) {
    const id = symbolImageId(kind.id, state.id)
    const image = drawSymbol(state)
    if (image && !map.hasImage(id)) map.addImage(id, image, { pixelRatio: PIXEL_RATIO })
  }
}

function drawSymbol(state: StateView): ImageData | undefined {
  const size = SYMBOL_HALF_PX * 2 * PIXEL_RATIO
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = size
  const context = canvas.getContext('2d')
  if (!context) return undefined
  if (state.id === UNKNOWN_STATE) drawHatching(context, size)
  context.fillStyle = state.id === UNKNOWN_STATE ? '#10181f' : inkOn(state.colour)
  context.font = `700 ${size * 0.54}px system-ui, 'Noto Sans', 'Noto Sans Symbols', sans-serif`
  context.textAlign = 'center'
  // Symbols differ in where they stand on the line: centred by what is really drawn. U+FE0E asks for no emoji.
  const text = `${state.symbol}\uFE0E`
  const { actualBoundingBoxAscent: above, actualBoundingBoxDescent: below } = context.measureText(text)
  context.fillText(text, size / 2, size / 2 + (above - below) / 2)
  return context.getImageData(0, 0, size, size)
}

function drawHatching(context: CanvasRenderingContext2D, size: number): void {
  context.save()
  context.beginPath()
  context.arc(size / 2, size / 2, size / 2, 0, 2 * Math.PI)
  context.clip()
  context.strokeStyle = 'rgb(255 255 255 / 0.5)'
  context.lineWidth = size / 12
  for (let offset = -size; offset < size; offset += size / 5) {
    context.moveTo(offset, size)
    context.lineTo(offset + size, 0)
  }
  context.stroke()
  context.restore()
}
