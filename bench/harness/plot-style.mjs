/** Of all plots: legible on a light and on a dark page. */
export const STYLE = `<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f; stroke: #ffffff; stroke-width: 3px; paint-order: stroke }
  .faint { fill: #57606a; font-size: 12px }
  .title { font-size: 16px; font-weight: 600 }
  .ours { fill: #0550ae; font-weight: 700 }
  .line { stroke: #d0d7de; stroke-width: 1 }
  .paper { fill: #ffffff }
  circle { fill: #6e7781 } circle.ours { fill: #0969da }
  .leader { stroke: #8c959f; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; stroke: #0d1117 } .faint { fill: #9198a1 } .ours { fill: #79c0ff } .line { stroke: #3d444d } .paper { fill: #0d1117 }
    circle { fill: #9198a1 } circle.ours { fill: #58a6ff } .leader { stroke: #656c76 }
  }
</style>`
