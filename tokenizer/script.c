/* Letters by the ranges in which scripts lie. */
#include "tokenizer/script.h"

#include <stdbool.h>
#include <stddef.h>
#include <utf8proc.h>

/* Where a script, or a group of rare ones, begins; the same number means the same script. */
static const struct {
  uint32_t first;
  int script;
} ranges[] = {
    {0x0000, 2},  {0x0370, 3},   {0x0400, 4},   {0x0530, 5},   {0x0590, 6},   {0x0600, 7},  {0x0700, 8},   {0x0750, 7},
    {0x0780, 9},  {0x07C0, 10},  {0x0840, 11},  {0x0860, 8},   {0x0870, 7},   {0x0900, 12}, {0x0980, 13},  {0x0A00, 14},
    {0x0A80, 15}, {0x0B00, 16},  {0x0B80, 17},  {0x0C00, 18},  {0x0C80, 19},  {0x0D00, 20}, {0x0D80, 21},  {0x0E00, 22},
    {0x0E80, 23}, {0x0F00, 24},  {0x1000, 25},  {0x10A0, 26},  {0x1100, 27},  {0x1200, 28}, {0x13A0, 29},  {0x1400, 30},
    {0x1680, 31}, {0x16A0, 32},  {0x1700, 33},  {0x1780, 34},  {0x1800, 35},  {0x18B0, 30}, {0x1900, 36},  {0x1C80, 4},
    {0x1C90, 26}, {0x1CC0, 36},  {0x1D00, 2},   {0x1D26, 3},   {0x1D2B, 4},   {0x1D2C, 2},  {0x1F00, 3},   {0x2000, 2},
    {0x2C00, 37}, {0x2C60, 2},   {0x2C80, 38},  {0x2D00, 26},  {0x2D30, 39},  {0x2D80, 28}, {0x2DE0, 4},   {0x2E80, 40},
    {0x3130, 27}, {0x3190, 40},  {0xA000, 41},  {0xA4D0, 42},  {0xA500, 43},  {0xA640, 4},  {0xA6A0, 44},  {0xA700, 2},
    {0xA800, 45}, {0xA8E0, 12},  {0xA900, 46},  {0xA960, 27},  {0xA980, 47},  {0xAB00, 28}, {0xAB30, 2},   {0xAB70, 29},
    {0xABC0, 45}, {0xAC00, 27},  {0xF900, 40},  {0xFB00, 2},   {0xFB13, 5},   {0xFB1D, 6},  {0xFB50, 7},   {0xFF00, 2},
    {0xFF66, 40}, {0xFFA0, 27},  {0x10000, 48}, {0x1B000, 40}, {0x1B300, 49}, {0x1D400, 2}, {0x1E000, 50}, {0x1EE00, 7},
    {0x1F100, 2}, {0x20000, 40}, {0x32000, 51},
};

int as_script(uint32_t code_point) {
  utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code_point);
  if (category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME) return AS_SCRIPT_INHERITED;
  bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
  if (!letter && category != UTF8PROC_CATEGORY_MC) return AS_SCRIPT_COMMON;
  size_t low = 0, high = sizeof ranges / sizeof *ranges;
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (ranges[middle].first <= code_point)
      low = middle;
    else
      high = middle;
  }
  return ranges[low].script;
}
