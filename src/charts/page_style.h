// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga::charts {

// The look of our HTML pages and of the drawings in them.
inline constexpr const char* kPageStyle = R"(
  body { font: 15px/1.5 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; color: #1c1c1c; background: #fff;
         max-width: 1120px; margin: 28px auto; padding: 0 20px; }
  h1 { font-size: 25px; margin: 0 0 2px; } h2 { font-size: 19px; margin: 36px 0 8px; border-bottom: 1px solid #ccc; }
  .lead { color: #555; margin: 0 0 12px; } .note { background: #fff7e0; border-left: 4px solid #e6a700; padding: 4px 12px; }
  table { border-collapse: collapse; font-size: 13.5px; margin: 6px 0 4px; font-variant-numeric: tabular-nums; }
  th, td { padding: 3px 11px; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
  th { border-bottom: 1.5px solid #444; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
  tr.ours td { font-weight: 600; background: #eef5fb; }
  figure { margin: 0 0 20px; } .row { display: flex; flex-wrap: wrap; gap: 18px 26px; align-items: flex-start; }
  figcaption { font-size: 13px; color: #444; max-width: 1000px; padding-top: 3px; } .row figcaption { max-width: 520px; }
  .faces { display: grid; grid-template-columns: repeat(6, 172px); gap: 10px 9px; }
  .faces figure { margin: 0; } .faces figcaption { font-size: 11px; line-height: 1.3; overflow-wrap: anywhere; }
  figure > svg { display: block; max-width: 100%; height: auto; } .faces svg { border-radius: 3px; }
  svg text { font-family: "DejaVu Sans", "Liberation Sans", Arial, sans-serif; fill: #333; }
  .tick { font-size: 11px; } .cell { font-size: 10px; } .cell[fill="#fff"] { fill: #fff; } .label { font-size: 12.5px; }
  .grid { stroke: #e8e8e8; } .axis { stroke: #444; } .truth { color: #0090c0; } .prediction { color: #c08400; }
  summary { cursor: pointer; } @media print { body { max-width: none; font-size: 12px; } figure, tr { break-inside: avoid; } }
)";

}  // namespace spiga::charts
