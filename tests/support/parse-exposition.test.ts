import { describe, expect, test } from "bun:test";
import { parseExposition, readFigure } from "./parse-exposition.ts";

const HEAD = "# HELP a_total A\n# TYPE a_total counter\n";
const HISTOGRAM = '# HELP h H\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n';

describe("the parser of figures", () => {
  test("reads labels with quotes, backslashes and line ends", () => {
    const [family] = parseExposition(`${HEAD}a_total{x="q\\"b\\\\n\\n",y=""} 1.5\n`).values();
    expect(family?.samples).toEqual([{ name: "a_total", labels: { x: 'q"b\\n\n', y: "" }, value: 1.5 }]);
    expect(readFigure(HISTOGRAM, "h_bucket", { le: "1" })).toBe(2);
  });

  test.each([
    `${HEAD}a_total 1`,
    `${HEAD}a_total one\n`,
    `${HEAD}b_total 1\n`,
    `${HEAD}a_total 1\na_total 2\n`,
    `${HEAD}a_total{x=1} 1\n`,
    `${HEAD}a_total{x="a"b"} 1\n`,
    `${HEAD}a_total 1\n${HEAD}`,
    "a_total 1\n",
    "# HELP a A\n# TYPE a counter\na 1\n",
    HISTOGRAM.replace("h_sum 4\n", ""),
    HISTOGRAM.replace("h_count 3", "h_count 4"),
    HISTOGRAM.replace("} 3", "} 1").replace("h_count 3", "h_count 1"),
    HISTOGRAM.replace('h_bucket{le="+Inf"} 3\n', ""),
  ])("refuses %j", (text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});
