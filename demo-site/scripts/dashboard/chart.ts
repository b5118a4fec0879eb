// The moving chart of page views per minute.

import uPlot from "uplot";
import type { Points } from "./minutes.ts";

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Draws into `place`, as wide and high as that is, in its colours. */
export class Chart {
  #plot: uPlot;
  #points: Points = [[], []];

  constructor(
    readonly place: HTMLElement,
    /** How much time is shown, in seconds. */
    readonly span: number,
  ) {
    this.#plot = this.#draw();
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#plot.destroy();
      this.#plot = this.#draw();
      this.#plot.setData(this.#points);
    });
  }

  show(points: Points): void {
    this.#points = points;
    this.#plot.setData(points);
  }

  #draw(): uPlot {
    const style = getComputedStyle(this.place);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--soft"),
      font: `12px ${style.fontFamily}`,
      ticks: { show: false },
    };
    return new uPlot(
      {
        ...this.#size(),
        padding: [12, 8, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: true, range: (_, __, last) => [last - this.span, last] },
          y: { range: (_, __, most) => [0, Math.max(4, most * 1.15)] },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 30, space: 70, values: (_, times) => times.map((time) => TIME.format(time * 1_000)) },
          { ...axis, grid: { stroke: colour("--rule"), width: 1 }, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000] },
        ],
        series: [
          {},
          {
            stroke: colour("--views"),
            width: 2.5,
            fill: (plot) => fade(plot, colour("--views")),
            points: { show: false },
            ...(uPlot.paths.spline && { paths: uPlot.paths.spline() }),
          },
        ],
      },
      this.#points,
      this.place,
    );
  }

  #size(): { width: number; height: number } {
    return { width: this.place.clientWidth, height: this.place.clientHeight };
  }
}

function fade(plot: uPlot, colour: string): CanvasGradient {
  const { top, height } = plot.bbox;
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, `${colour}66`);
  gradient.addColorStop(1, `${colour}00`);
  return gradient;
}
