/* Planning: which nodes run, in what order, how long each value lives, and where it lies.
 *
 * The plan is a list of steps: the forward steps in order of recording, then the backward steps in reverse, with steps
 * that make dropped values again just before the backward step that reads them. From the steps follow the lives of all
 * pieces of memory, and from those their offsets (arena.c).
 *
 * Invariant: a step reads only what an earlier step wrote and what still lives. The values that a backward step reads
 * are made again by the same code on the same bits as in the forward pass, so gradients do not depend on the mode. */
#include <string.h>

#include "tensor/node.h"

static bool is_value(const as_tensor *t) { return t->kind == AS_KIND_VALUE; }

/* ---- what is needed --------------------------------------------------------------------------------------------- */
static void reset_tensor(as_graph *g, as_tensor *t) {
  t->gradient_written = t->kind == AS_KIND_LEAF && g->accumulate;
  t->life = 0;
  if (is_value(t)) t->data = t->gradient = NULL;
  t->value[0] = t->value[1] = t->gradient_block = (as_block){.first = -1, .last = -1};
}

static void reset_node(as_node *n) {
  n->needed = n->backward_needed = n->demanded = n->recompute = n->rebuild = false;
  n->add_gradient = 0;
  n->state_life = 0;
  n->state_block[0] = n->state_block[1] = (as_block){.first = -1, .last = -1};
  n->state_bytes = n->op->state ? n->op->state(n) : 0;
}

/* Marks the nodes on which the loss or a kept value depends, and among them those that pass a gradient. */
static void mark_needed(as_graph *g, as_tensor *loss) {
  for (size_t i = g->nodes_count; i-- > 0;) {
    as_node *n = g->nodes[i];
    if (n->output == loss || n->output->keep) n->needed = true;
    if (!n->needed) continue;
    for (int k = 0; k < n->inputs_count; k++)
      if (n->inputs[k]->producer) n->inputs[k]->producer->needed = true;
  }
  if (!loss || g->mode != AS_TRAIN || !loss->producer || !loss->needs_gradient) return;
  loss->producer->backward_needed = true;
  for (size_t i = g->nodes_count; i-- > 0;) {
    as_node *n = g->nodes[i];
    if (!n->backward_needed) continue;
    for (int k = 0; k < n->inputs_count; k++) {
      as_tensor *input = n->inputs[k];
      if (!input->needs_gradient) continue;
      if (input->producer) input->producer->backward_needed = true;
      if (input->touched && !n->op->sparse) memset(input->touched, 1, (size_t)input->shape[0]);
      if (input->gradient_written) n->add_gradient |= 1u << k;
      input->gradient_written = true;
    }
  }
}

/* Which outputs are dropped after the forward pass and made again. */
static void choose_dropped(as_graph *g, const as_tensor *loss) {
  for (size_t i = 0; i < g->nodes_count; i++) {
    as_node *n = g->nodes[i];
    const as_tensor *out = n->output;
    if (!n->needed || out->keep || out == loss || out->block_input) continue;
    if (g->recompute == 2) n->recompute = true;
    if (g->recompute == 1) {
      n->rebuild = n->op->rebuild && n->state_bytes;
      n->recompute = !n->rebuild && n->op->cheap;
    }
  }
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */
static bool add_step(as_graph *g, as_step_kind kind, as_node *node) {
  as_step *grown = as_grow(g->ctx, g->steps, &g->steps_capacity, g->steps_count + 1, sizeof *grown);
  if (!grown) return false;
  g->steps = grown;
  size_t scratch = 0;
  if (kind == AS_STEP_BACKWARD && node->op->scratch_backward) scratch = node->op->scratch_backward(node);
  if ((kind == AS_STEP_FORWARD || kind == AS_STEP_RECOMPUTE) && node->op->scratch_forward)
    scratch = node->op->scratch_forward(node);
  int64_t now = (int64_t)g->steps_count;
  as_block block = {.bytes = as_align(scratch), .first = scratch ? now : -1, .last = now};
  g->steps[g->steps_count++] = (as_step){.kind = kind, .node = node, .scratch = block};
  return true;
}

/* Marks the producer of a value that is read but was dropped and not yet made again. */
static void demand(const as_tensor *t, int *highest) {
  as_node *p = t->producer;
  if (!p || t->life == 1 || !(p->recompute || p->rebuild)) return;
  p->demanded = true;
  if (p->index > *highest) *highest = p->index;
}

static bool saves_input(const as_node *n, int k) { return (n->saves >> k) & 1u; }

/* Steps that make again what the backward step of `n` reads. Inputs come before what uses them, so one sweep down finds
 * all that is needed and one sweep up makes it. */
static bool add_demanded(as_graph *g, as_node *n) {
  int highest = -1;
  for (int k = 0; k < n->inputs_count; k++)
    if (saves_input(n, k)) demand(n->inputs[k], &highest);
  if (n->saves & AS_SAVES_OUTPUT || (n->state_bytes && n->recompute)) demand(n->output, &highest);
  int lowest = highest;
  for (int i = highest; i >= 0; i--) {
    as_node *p = g->nodes[i];
    if (!p->demanded) continue;
    lowest = i;
    for (int k = 0; k < p->inputs_count; k++)
      if (p->recompute || saves_input(p, k)) demand(p->inputs[k], &highest);
  }
  for (int i = lowest; i >= 0 && i <= highest; i++) {
    as_node *p = g->nodes[i];
    if (!p->demanded) continue;
    p->demanded = false;
    p->output->life = 1;
    if (!add_step(g, p->rebuild ? AS_STEP_REBUILD : AS_STEP_RECOMPUTE, p)) return false;
  }
  return true;
}

static bool make_steps(as_graph *g, as_tensor *loss) {
  for (size_t i = 0; i < g->nodes_count; i++)
    if (g->nodes[i]->needed && !add_step(g, AS_STEP_FORWARD, g->nodes[i])) return false;
  g->forward_steps = g->steps_count;
  if (!loss || !loss->producer || !loss->producer->backward_needed) return true;
  if (!add_step(g, AS_STEP_SEED, loss->producer)) return false;
  for (size_t i = g->nodes_count; i-- > 0;) {
    as_node *n = g->nodes[i];
    if (!n->backward_needed) continue;
    if (!add_demanded(g, n) || !add_step(g, AS_STEP_BACKWARD, n)) return false;
  }
  return true;
}

/* ---- lives ------------------------------------------------------------------------------------------------------ */
static void begin(as_block *block, size_t bytes, int64_t now) {
  block->bytes = as_align(bytes);
  block->first = block->last = now;
}

static size_t value_bytes(const as_tensor *t) { return (size_t)t->elements * as_real_size(t->graph); }

static void touch_value(as_tensor *t, int64_t now) {
  if (is_value(t)) t->value[t->life].last = now;
}

static void live_output(as_node *n, int life, int64_t now) {
  n->output->life = life;
  begin(&n->output->value[life], value_bytes(n->output), now);
}

static void live_backward(as_node *n, int64_t now) {
  for (int k = 0; k < n->inputs_count; k++) {
    as_tensor *input = n->inputs[k];
    if (saves_input(n, k)) touch_value(input, now);
    if (!input->needs_gradient || !is_value(input)) continue;
    if (input->gradient_block.first < 0) begin(&input->gradient_block, value_bytes(input), now);
    input->gradient_block.last = now;
  }
  if (n->saves & AS_SAVES_OUTPUT) touch_value(n->output, now);
  if (n->state_bytes) n->state_block[n->state_life].last = now;
  n->output->gradient_block.last = now;
}

static void find_lives(as_graph *g, as_tensor *loss) {
  for (size_t i = 0; i < g->tensors_count; i++) g->tensors[i]->life = 0;
  int64_t end = (int64_t)g->steps_count;
  for (int64_t now = 0; now < end; now++) {
    as_step *step = &g->steps[now];
    as_node *n = step->node;
    if (step->kind == AS_STEP_SEED) begin(&loss->gradient_block, value_bytes(loss), now);
    if (step->kind == AS_STEP_BACKWARD) live_backward(n, now);
    if (step->kind == AS_STEP_SEED || step->kind == AS_STEP_BACKWARD) continue;
    for (int k = 0; k < n->inputs_count; k++)
      if (step->kind != AS_STEP_REBUILD || saves_input(n, k)) touch_value(n->inputs[k], now);
    live_output(n, step->kind == AS_STEP_FORWARD ? 0 : 1, now);
    if (step->kind == AS_STEP_REBUILD) {
      n->state_block[0].last = now;
    } else if (n->state_bytes) {
      n->state_life = step->kind == AS_STEP_FORWARD ? 0 : 1;
      begin(&n->state_block[n->state_life], n->state_bytes, now);
    }
  }
  for (size_t i = 0; i < g->tensors_count; i++) {
    as_tensor *t = g->tensors[i];
    if ((t->keep || t == loss) && t->value[0].first >= 0) t->value[0].last = end;
    if (t->keep_gradient && t->gradient_block.first >= 0) t->gradient_block.last = end;
  }
}

/* ---- placement -------------------------------------------------------------------------------------------------- */
static bool gather_blocks(as_graph *g) {
  size_t most = 3 * g->tensors_count + 2 * g->nodes_count + g->steps_count;
  as_block **grown = as_grow(g->ctx, g->blocks, &g->blocks_capacity, 2 * most + 1, sizeof *grown);
  if (!grown) return false;
  g->blocks = grown;
  g->blocks_count = 0;
#define TAKE(block) \
  if ((block)->first >= 0) g->blocks[g->blocks_count++] = (block)
  for (size_t i = 0; i < g->tensors_count; i++) {
    as_tensor *t = g->tensors[i];
    TAKE(&t->value[0]);
    TAKE(&t->value[1]);
    TAKE(&t->gradient_block);
  }
  for (size_t i = 0; i < g->nodes_count; i++) {
    TAKE(&g->nodes[i]->state_block[0]);
    TAKE(&g->nodes[i]->state_block[1]);
  }
  for (size_t i = 0; i < g->steps_count; i++) TAKE(&g->steps[i].scratch);
#undef TAKE
  return true;
}

static as_status check_request(as_graph *g, as_tensor *loss) {
  if (g->status != AS_OK) return as_fail(g->ctx, g->status, "%s", g->error);
  if (!loss) return AS_OK;
  if (loss->graph != g || loss->elements != 1)
    return as_fail(g->ctx, AS_E_INVALID, "plan: the loss must be a tensor of one element of this graph");
  if (g->mode == AS_TRAIN && !loss->needs_gradient)
    return as_fail(g->ctx, AS_E_INVALID, "plan: the loss does not depend on any leaf that has a gradient");
  return AS_OK;
}

as_status as_graph_plan_only(as_graph *g, as_tensor *loss) {
  g->planned = false;
  as_status status = check_request(g, loss);
  if (status != AS_OK) return status;
  g->steps_count = g->forward_steps = 0;
  for (size_t i = 0; i < g->tensors_count; i++) reset_tensor(g, g->tensors[i]);
  for (size_t i = 0; i < g->nodes_count; i++) reset_node(g->nodes[i]);
  mark_needed(g, loss);
  if (loss && g->mode == AS_TRAIN) choose_dropped(g, loss);
  if (!make_steps(g, loss)) return AS_E_NOMEM;
  find_lives(g, loss);
  if (!gather_blocks(g)) return AS_E_NOMEM;
  as_arena_place(g);
  g->planned_loss = loss;
  if (g->memory_limit && g->arena_bytes > g->memory_limit)
    return as_fail(g->ctx, AS_E_LIMIT,
                   "the graph needs %zu bytes, the limit is %zu; use fewer tokens a batch or recompute more",
                   g->arena_bytes, g->memory_limit);
  return AS_OK;
}

as_status as_graph_reserve(as_graph *g, size_t bytes) {
  if (g->arena && bytes <= g->arena_capacity) return AS_OK;
  as_free(g->ctx, g->arena);
  g->arena_capacity = 0;
  g->planned = false;
  g->arena = as_alloc(g->ctx, bytes, 1);
  if (!g->arena) return AS_E_NOMEM;
  g->arena_capacity = bytes;
  return AS_OK;
}

as_status as_graph_plan(as_graph *g, as_tensor *loss) {
  as_status status = as_graph_plan_only(g, loss);
  if (status != AS_OK) return status;
  status = as_graph_reserve(g, g->arena_bytes);
  if (status != AS_OK) return status;
  for (size_t i = 0; i < g->tensors_count; i++) {
    as_tensor *t = g->tensors[i];
    if (!is_value(t)) continue;
    t->data = t->value[0].first >= 0 ? g->arena + t->value[0].offset : NULL;
    t->gradient = t->gradient_block.first >= 0 ? g->arena + t->gradient_block.offset : NULL;
  }
  g->planned = true;
  return AS_OK;
}
