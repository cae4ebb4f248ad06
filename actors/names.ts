/** The ids of the grid as the data guide forms them; a wider network may use more digits. */
export const CUSTOMER_ID = /^CUST-\d{6,}$/;
export const METER_ID = /^SM-[NSEWC]-\d{5,}$/;
export const SUBSTATION_ID = /^SUB-[NSEWC]-\d{3,}$/;
export const TRANSFORMER_ID = /^TRF-[NSEWC]-\d{4,}$/;
export const PLANT_ID = /^REN-(?:SOLAR|WIND|HYDRO)-\d{3,}$/;
export const TRANSACTION_ID = /^TXN-\d{8,}$/;

export const REGIONS = ["NORTH", "SOUTH", "EAST", "WEST", "CENTRAL"] as const;
