'use strict'
// Each line of #parts is a symbol: its side, a colon, its modules row by row, dark 1, in base64.
const el = id => document.getElementById(id)
const quiet = 4
const parts = el('parts').textContent.trim().split('\n').map(line => {
  const [side, bits] = line.split(':')
  return { side: +side, bits: Uint8Array.from(atob(bits), c => c.charCodeAt(0)) }
})
let at = 0, paused = false, shown = performance.now()

function draw () {
  const { side, bits } = parts[at], k = +el('size').value, ratio = window.devicePixelRatio || 1
  const canvas = el('symbol'), all = (side + 2 * quiet) * k
  canvas.width = canvas.height = all
  canvas.style.width = canvas.style.height = all / ratio + 'px' // a module is k pixels of the screen, exactly
  const g = canvas.getContext('2d')
  g.fillStyle = '#fff'
  g.fillRect(0, 0, all, all)
  g.fillStyle = '#000'
  for (let i = 0; i < side * side; i++) {
    if (bits[i >> 3] >> (7 - (i & 7)) & 1) g.fillRect((quiet + i % side) * k, (quiet + Math.floor(i / side)) * k, k, k)
  }
  el('part').textContent = 'part ' + (at + 1) + ' of ' + parts.length
  el('rate').textContent = el('speed').value + ' a second'
}

function move (by) {
  at = (at + by + parts.length) % parts.length
  draw()
}

function hold (yes) {
  paused = yes
  el('pause').textContent = paused ? 'play' : 'pause'
}

function tick (now) {
  if (now - shown >= 1000 / +el('speed').value) {
    shown = now
    if (!paused && parts.length > 1) move(1)
  }
  requestAnimationFrame(tick)
}

el('pause').onclick = () => hold(!paused)
el('step').onclick = () => { hold(true); move(1) }
el('back').onclick = () => { hold(true); move(-1) }
el('speed').oninput = el('size').oninput = draw
document.onkeydown = e => {
  if (e.target.tagName === 'INPUT' || e.target.tagName === 'BUTTON') return
  if (e.key === ' ') { e.preventDefault(); hold(!paused) }
  if (e.key === 'ArrowRight') { hold(true); move(1) }
  if (e.key === 'ArrowLeft') { hold(true); move(-1) }
}
const room = Math.min(window.innerWidth - 40, window.innerHeight - 160) * (window.devicePixelRatio || 1)
el('size').value = Math.max(1, Math.floor(room / (parts[0].side + 2 * quiet)))
draw()
requestAnimationFrame(tick)
