/* The synthetic shop's catalogue. Four kinds of product in each category, each in three grades; prices in cents. */
#include "data/synth_shop.h"

enum { SPRING = 110, SUMMER = 190, AUTUMN = 260, WINTER = 340, ALL_YEAR = 0, ALONE = -1 };

/* Numbers of the kinds, for bundles. */
enum { KETTLE, PAN, BLENDER, BAKING, DESK_LAMP, FLOOR_LAMP, STRING_LIGHTS, LANTERN, GARDEN_CHAIR, PLANTER, HOSE, FEEDER,
       PILLOW, DUVET, THROW, CLOCK, DESK_CHAIR, NOTEBOOK, KEYBOARD, ORGANIZER, BACKPACK, SUITCASE, FLASK, NECK_PILLOW };

/* clang-format off */
const as_shop_kind as_shop_kinds[AS_SHOP_KINDS] = {
    [KETTLE] = {"Kitchen", {"Steel kettle, 1 l", "Steel kettle, 1.7 l, with gauge", "Gooseneck kettle with thermometer"},
                {2490, 3990, 6900}, ALL_YEAR, FLASK},
    [PAN] = {"Kitchen", {"Frying pan, 20 cm", "Frying pan, 28 cm, coated", "Cast iron frying pan, 28 cm"},
             {1990, 3450, 5900}, ALL_YEAR, PLANTER},
    [BLENDER] = {"Kitchen", {"Hand blender", "Blender, 600 W", "Blender, 1200 W, glass jug"},
                 {2900, 4900, 8900}, SUMMER, ALONE},
    [BAKING] = {"Kitchen", {"Loaf tin", "Baking set, 5 pieces", "Baking set \"Sunday\", 12 pieces"},
                {990, 1890, 3490}, WINTER, STRING_LIGHTS},
    [DESK_LAMP] = {"Lighting", {"Desk lamp, white", "Desk lamp, dimmable", "Desk lamp with wireless charging"},
                   {2200, 3900, 6900}, AUTUMN, DESK_CHAIR},
    [FLOOR_LAMP] = {"Lighting", {"Floor lamp, paper shade", "Floor lamp, oak tripod", "Floor lamp, brass arc"},
                    {3400, 6400, 11900}, ALL_YEAR, THROW},
    [STRING_LIGHTS] = {"Lighting", {"String lights, 20 bulbs", "String lights, 50 bulbs", "String lights, 100 bulbs, timer"},
                       {890, 1490, 2790}, WINTER, BAKING},
    [LANTERN] = {"Lighting", {"Solar lantern", "Solar lanterns, set of 3", "Copper solar lanterns, set of 3"},
                 {1250, 2400, 4500}, SUMMER, GARDEN_CHAIR},
    [GARDEN_CHAIR] = {"Garden", {"Folding garden chair", "Garden chair, acacia", "Reclining garden chair, acacia"},
                      {2900, 5500, 9900}, SUMMER, LANTERN},
    [PLANTER] = {"Garden", {"Herb planter, clay", "Herb planter, 3 pots", "Raised herb planter, larch"},
                 {1490, 2690, 4990}, SPRING, PAN},
    [HOSE] = {"Garden", {"Garden hose, 15 m", "Garden hose, 25 m, with reel", "Garden hose, 40 m, wall reel"},
              {1990, 3790, 6990}, SPRING, ALONE},
    [FEEDER] = {"Garden", {"Bird feeder", "Bird feeder, pine house", "Bird feeder with camera"},
                {1190, 2190, 4290}, WINTER, ALONE},
    [PILLOW] = {"Bedroom", {"Pillow, fibre", "Pillow, feather", "Memory foam pillow"},
                {1690, 2990, 4990}, ALL_YEAR, ALONE},
    [DUVET] = {"Bedroom", {"Duvet, light", "Duvet, four seasons", "Down duvet"},
               {3990, 6990, 12900}, WINTER, ALONE},
    [THROW] = {"Bedroom", {"Fleece throw", "Wool throw", "Alpaca throw"},
               {1990, 3790, 7490}, AUTUMN, FLOOR_LAMP},
    [CLOCK] = {"Bedroom", {"Alarm clock", "Alarm clock with radio", "Sunrise alarm clock"},
               {1490, 2790, 5490}, AUTUMN, NECK_PILLOW},
    [DESK_CHAIR] = {"Office", {"Desk chair", "Desk chair with armrests", "Desk chair, mesh back"},
                    {7900, 12900, 22900}, AUTUMN, DESK_LAMP},
    [NOTEBOOK] = {"Office", {"Notebook, lined", "Notebooks, pack of 3", "Leather notebook"},
                  {690, 1290, 2490}, AUTUMN, BACKPACK},
    [KEYBOARD] = {"Office", {"Keyboard", "Wireless keyboard", "Mechanical keyboard"},
                  {2490, 4490, 8490}, ALL_YEAR, ALONE},
    [ORGANIZER] = {"Office", {"Desk organizer", "Desk organizer, bamboo", "Desk organizer with drawers"},
                   {1290, 2290, 3990}, ALL_YEAR, CLOCK},
    [BACKPACK] = {"Travel", {"Backpack, 18 l", "Backpack, 25 l, laptop sleeve", "Backpack, 30 l, waterproof"},
                  {3490, 5990, 9900}, AUTUMN, NOTEBOOK},
    [SUITCASE] = {"Travel", {"Cabin suitcase", "Suitcase, 65 l", "Aluminium suitcase, 65 l"},
                  {5900, 8900, 16900}, SUMMER, ALONE},
    [FLASK] = {"Travel", {"Flask, 0.5 l", "Flask, 1 l, with cup", "Flask, 1 l, titanium"},
               {1590, 2790, 5290}, WINTER, KETTLE},
    [NECK_PILLOW] = {"Travel", {"Neck pillow", "Neck pillow, memory foam", "Neck pillow set with eye mask"},
                     {1390, 2390, 3490}, SUMMER, PILLOW},
};
/* clang-format on */
