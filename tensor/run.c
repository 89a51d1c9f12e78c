/* Running a plan: forward and backward walk its steps. Nothing here allocates or fails.
 *
 * In a debug graph, memory is NaN outside a block's life, and each block is followed by a red zone that is looked at
 * after every step while the block lives. */
#include <stdio.h>
#include <string.h>

#include "tensor/node.h"

#define RED_ZONE 64
#define RED_BYTE 0xA5

/* ---- debug ------------------------------------------------------------------------------------------------------ */
/* a NaN in both number types */
static void fill_nan(unsigned char *memory, size_t bytes) { memset(memory, 0xFF, bytes); }

static void debug_before(as_graph *g, int64_t now) {
  for (size_t i = 0; i < g->blocks_count; i++) {
    const as_block *b = g->blocks[i];
    if (b->first != now) continue;
    fill_nan(g->arena + b->offset, b->bytes);
    memset(g->arena + b->offset + b->bytes, RED_BYTE, RED_ZONE);
  }
}

static bool zone_intact(const unsigned char *zone) {
  for (int i = 0; i < RED_ZONE; i++)
    if (zone[i] != RED_BYTE) return false;
  return true;
}

static void debug_after(as_graph *g, const as_step *step, int64_t now) {
  for (size_t i = 0; i < g->blocks_count; i++) {
    const as_block *b = g->blocks[i];
    if (b->first > now || b->last < now) continue;
    if (!zone_intact(g->arena + b->offset + b->bytes) && !g->debug_text[0])
      snprintf(g->debug_text, sizeof g->debug_text, "operation %d (%s, %s) wrote outside its memory", step->node->index,
               step->node->op->name, step->kind == AS_STEP_BACKWARD ? "backward" : "forward");
    if (b->last == now) fill_nan(g->arena + b->offset, b->bytes);
  }
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */
static void seed(as_graph *g, as_tensor *loss) {
  if (g->dtype == AS_F64)
    *(double *)loss->gradient = 1;
  else
    *(float *)loss->gradient = 1;
}

static void make_output(as_graph *g, as_step *step) {
  as_node *n = step->node;
  int life = step->kind == AS_STEP_FORWARD ? 0 : 1;
  n->output->data = g->arena + n->output->value[life].offset;
  if (step->kind == AS_STEP_REBUILD) {
    n->op->rebuild(n);
    return;
  }
  n->state = n->state_bytes ? g->arena + n->state_block[life].offset : NULL;
  n->op->forward(n);
}

static void run_steps(as_graph *g, size_t first, size_t last) {
  for (size_t i = first; i < last; i++) {
    as_step *step = &g->steps[i];
    as_node *n = step->node;
    if (g->debug) debug_before(g, (int64_t)i);
    n->scratch = step->scratch.first >= 0 ? g->arena + step->scratch.offset : NULL;
    if (step->kind == AS_STEP_SEED)
      seed(g, n->output);
    else if (step->kind == AS_STEP_BACKWARD)
      n->op->backward(n);
    else
      make_output(g, step);
    if (g->debug) debug_after(g, step, (int64_t)i);
  }
}

void as_graph_forward(as_graph *g) {
  if (!g->planned) return;
  if (g->debug) {
    g->debug_text[0] = '\0';
    fill_nan(g->arena, g->arena_bytes);
  }
  run_steps(g, 0, g->forward_steps);
}

void as_graph_backward(as_graph *g, as_tensor *loss) {
  if (g->planned && loss && loss == g->planned_loss) run_steps(g, g->forward_steps, g->steps_count);
}
