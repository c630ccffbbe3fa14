/* Lay out one scope of a graph, away from the page: boxes with sizes and edges in, places out. */
"use strict";

/* global importScripts, dagre */
importScripts("../vendor/dagre-3.1.3.min.js");

/** Above so many edges the quicker way to rank is taken; it is a little less tidy. */
const MANY = 400;

onmessage = ({ data }) => {
  try {
    postMessage({ id: data.id, laid: lay(data) });
  } catch (error) {
    postMessage({ id: data.id, error: String(error?.message ?? error) });
  }
};

/** boxes: [{w, h}]; edges: [{from, to, w, h, weight, hidden}], ends as places in boxes. */
function lay({ boxes, edges }) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({
    rankdir: "TB", nodesep: 18, ranksep: 30, edgesep: 10, marginx: 0, marginy: 0,
    ranker: edges.length > MANY ? "longest-path" : "network-simplex",
  });
  graph.setDefaultEdgeLabel(() => ({}));
  boxes.forEach(({ w, h }, at) => graph.setNode(String(at), { width: w, height: h }));
  edges.forEach((edge, at) => graph.setEdge(String(edge.from), String(edge.to), {
    width: edge.w, height: edge.h, weight: edge.weight, labelpos: "c", minlen: 1,
  }, String(at)));
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width: Math.max(0, width),
    height: Math.max(0, height),
    boxes: boxes.map((_, at) => pick(graph.node(String(at)))),
    edges: edges.map((edge, at) => {
      const laid = graph.edge(String(edge.from), String(edge.to), String(at));
      return { points: (laid.points ?? []).map(({ x, y }) => [x, y]), x: laid.x, y: laid.y };
    }),
  };
}

function pick({ x, y }) {
  return { x, y };
}
